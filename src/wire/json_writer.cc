#include "wire/json_writer.h"

#include <charconv>
#include <cmath>

#include "base/text.h"
#include "wire/json_text.h"

namespace plz {

void JsonWriter::write(double value) {
  if (!std::isfinite(value)) return raw("null");
  char text[40];
  auto end = std::to_chars(text, text + sizeof text, value).ptr;
  raw(std::string_view(text, static_cast<size_t>(end - text)));
}

void JsonWriter::write(std::string_view bytes) {
  if (is_valid_utf8(bytes)) return raw(quote_json(bytes));
  raw("{\"base64\": \"");
  raw(base64(bytes));
  raw("\"}");
}

void JsonWriter::open(char bracket) {
  out_ += bracket;
  fresh_ = true;
}

void JsonWriter::close(char bracket) {
  out_ += bracket;
  fresh_ = false;
}

void JsonWriter::comma() {
  if (!fresh_) out_ += ", ";
  fresh_ = false;
}

void JsonWriter::begin_member(std::string_view name) {
  comma();
  raw(quote_json(name));
  out_ += ": ";
}

}  // namespace plz
