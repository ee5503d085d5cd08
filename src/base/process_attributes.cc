#include "base/process_attributes.h"

#include <charconv>

#include <fmt/core.h>

namespace plz {
namespace {

constexpr std::string_view kUnlimitedText = "unlimited";
constexpr int kOctal = 8;

std::string bound_text(uint64_t bound) {
  return bound == ResourceLimit::kUnlimited ? std::string(kUnlimitedText) : std::to_string(bound);
}

template <typename Number>
std::optional<Number> whole_number(std::string_view text, int base) {
  Number value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<uint64_t> parse_bound(std::string_view text) {
  if (text == kUnlimitedText) return ResourceLimit::kUnlimited;
  return whole_number<uint64_t>(text, 10);
}

}  // namespace

std::string limit_text(const ResourceLimit& limit) { return bound_text(limit.soft) + ":" + bound_text(limit.hard); }

std::optional<ResourceLimit> parse_limit(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == text.npos) return std::nullopt;
  const auto soft = parse_bound(text.substr(0, colon)), hard = parse_bound(text.substr(colon + 1));
  if (!soft || !hard || *soft > *hard) return std::nullopt;
  return ResourceLimit{*soft, *hard};
}

std::string umask_text(uint32_t umask) { return fmt::format("{:03o}", umask); }

std::optional<uint32_t> parse_umask(std::string_view text) {
  const auto value = whole_number<uint32_t>(text, kOctal);
  return value && *value <= 0777 ? value : std::nullopt;
}

}  // namespace plz
