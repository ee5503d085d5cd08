// Any bytes as JSON that is only carried: what is accepted can be reshaped into what is accepted.
#include <cstdint>
#include <cstdlib>

#include "wire/json_text.h"

namespace {

void require(bool holds) {
  if (!holds) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace plz;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  require(parse_json_text(quote_json(text)).has_value());
  auto json = parse_json_text(text);
  if (is_measure_json(text)) require(parse_json_text(strict_json(text)).has_value());
  else require(!json);
  if (!json) return 0;
  std::string indented = indent_json(json->text);
  require(parse_json_text(indented).has_value());
  require(indent_json(indented) == indented);
  require(strict_json(strict_json(json->text)) == strict_json(json->text));
  if (json->text.front() == '{') require(parse_json_text(merge_json_objects(json->text, json->text)).has_value());
  return 0;
}
