#include "net/http_types.h"

#include <strings.h>

#include <algorithm>

#include <fmt/core.h>

#include "base/text.h"

namespace plz {
namespace {

bool equal_without_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

tl::unexpected<Error> bad_target(std::string_view target, std::string_view why) {
  return fail(ErrorCode::invalid, fmt::format("the request target {} {}", printable(target.substr(0, 200)), why));
}

enum class Plus { literal, space };

// nullopt: a wrong escape, or a NUL, which no path and no name may hold.
std::optional<std::string> percent_decode(std::string_view text, Plus plus) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus == Plus::space) c = ' ';
    if (c == '%') {
      if (text.size() - i < 3) return std::nullopt;
      int high = hex_value(text[i + 1]), low = hex_value(text[i + 2]);
      if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
      c = static_cast<char>(high << 4 | low);
      i += 2;
    }
    decoded += c;
  }
  return decoded;
}

}  // namespace

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const auto& [known, value] : items_)
    if (equal_without_case(known, name)) return value;
  return std::nullopt;
}

size_t Headers::count(std::string_view name) const {
  return static_cast<size_t>(std::count_if(items_.begin(), items_.end(),
                                           [&](const auto& item) { return equal_without_case(item.first, name); }));
}

Result<Target> parse_target(std::string_view target) {
  if (target.empty() || target.front() != '/') return bad_target(target, "does not start with a slash");
  auto is_plain = [](char c) { return c > 0x20 && c < 0x7f && c != '#'; };
  if (!std::all_of(target.begin(), target.end(), is_plain))
    return bad_target(target, "has characters that must be percent-encoded");
  size_t question = target.find('?');
  auto path = percent_decode(target.substr(0, question), Plus::literal);
  if (!path) return bad_target(target, "has a wrong percent-encoding in its path");
  Target result{std::move(*path), {}};
  if (question == target.npos) return result;
  for (auto piece : split(target.substr(question + 1), '&')) {
    if (piece.empty()) continue;
    size_t equals = piece.find('=');
    auto key = percent_decode(piece.substr(0, equals), Plus::space);
    auto value = percent_decode(equals == piece.npos ? "" : piece.substr(equals + 1), Plus::space);
    if (!key || !value) return bad_target(target, "has a wrong percent-encoding in its query");
    if (!result.query.emplace(std::move(*key), std::move(*value)).second)
      return bad_target(target, fmt::format("gives {} twice", printable(piece.substr(0, equals))));
  }
  return result;
}

std::string percent_encode(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (char c : text) {
    bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                      c == '.' || c == '_' || c == '~';
    if (unreserved) {
      encoded += c;
      continue;
    }
    auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += kDigits[byte >> 4];
    encoded += kDigits[byte & 15];
  }
  return encoded;
}

Result<std::string> BodyReader::read_all(size_t limit) {
  constexpr size_t kFirstBytes = 64u << 10;
  std::string body;
  size_t room = std::min(kFirstBytes, limit + 1);
  for (;;) {
    size_t size = body.size();
    // One byte above the limit is asked for, so that reaching the limit is told from passing it.
    if (size == room) {
      room = std::min(2 * room, limit + 1);
      PLZ_TRY(hold(room));
    }
    body.reserve(room);
    body.resize(std::min(room, size + kFirstBytes));
    PLZ_ASSIGN(size_t n, read(body.data() + size, body.size() - size));
    body.resize(size + n);
    if (n == 0) return body;
    if (body.size() > limit)
      return fail(ErrorCode::invalid, fmt::format("the request body is larger than {}", human_bytes(limit)));
  }
}

}  // namespace plz
