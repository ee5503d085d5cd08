#include "controller/api/field_rules.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/text.h"

namespace plz {
namespace {

constexpr size_t kMostImageNameBytes = 4096;

tl::unexpected<Error> refuse_field(std::string_view field, std::string_view rule) {
  return fail(ErrorCode::invalid, fmt::format("{} must be {}", field, rule));
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

Result<void> check_printable(std::string_view field, std::string_view text, size_t most_bytes) {
  const bool plain = is_valid_utf8(text) && std::none_of(text.begin(), text.end(), is_control);
  if (!text.empty() && plain && text.size() <= most_bytes) return {};
  return refuse_field(field, fmt::format("a printable text of 1 to {} bytes", most_bytes));
}

Result<void> check_text(std::string_view field, std::string_view text, size_t most_bytes) {
  if (text.find('\0') != text.npos) return refuse_field(field, "a text without NUL bytes");
  if (text.size() <= most_bytes) return {};
  return refuse_field(field, fmt::format("a text of at most {} bytes, not of {}", most_bytes, text.size()));
}

Result<void> check_texts(std::string_view field, const std::vector<std::string>& texts, size_t most,
                         size_t most_bytes_each, size_t most_bytes) {
  PLZ_TRY(check_count(field, texts.size(), most));
  size_t bytes = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    bytes += texts[i].size() + 1;
    if (bytes > most_bytes) return refuse_field(field, fmt::format("texts of at most {} bytes in all", most_bytes));
    if (texts[i].size() <= most_bytes_each && texts[i].find('\0') == std::string::npos) continue;
    PLZ_TRY(check_text(fmt::format("{}[{}]", field, i), texts[i], most_bytes_each));
  }
  return {};
}

Result<void> check_count(std::string_view field, size_t count, size_t most) {
  if (count <= most) return {};
  return refuse_field(field, fmt::format("at most {}, not {}", most, count));
}

Result<void> check_whole(std::string_view field, uint64_t value, uint64_t most) {
  if (value <= most) return {};
  return refuse_field(field, fmt::format("a whole number from 0 to {}, not {}", most, value));
}

Result<void> check_whole(std::string_view field, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return {};
  return refuse_field(field, fmt::format("a whole number from {} to {}, not {}", least, most, value));
}

Result<void> check_positive(std::string_view field, double value, double most) {
  if (value > 0 && value <= most) return {};
  return refuse_field(field, fmt::format("a number above 0 and up to {:.0f}, not {:g}", most, value));
}

Result<void> check_image(std::string_view field, const ImageIdentity& image) {
  for (const std::string* name : {&image.id, &image.digest, &image.base_id, &image.base_digest})
    PLZ_TRY(check_text(field, *name, kMostImageNameBytes));
  return {};
}

}  // namespace plz
