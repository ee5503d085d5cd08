#include "model/json_number.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace plz {
namespace {

// A sign, and 0.DIGITS times ten to the power of (point + exponent). The exponent stays text, for it
// may be longer than any machine's number.
struct Decimal {
  bool negative = false;
  std::string_view digits;  // from the first to the last that is not 0, with a point among them or not; empty: zero
  int64_t point = 0;
  bool exponent_negative = false;
  std::string_view exponent;
};

bool take_sign(std::string_view& text) {
  bool negative = !text.empty() && text.front() == '-';
  if (negative || (!text.empty() && text.front() == '+')) text.remove_prefix(1);
  return negative;
}

Decimal parse_decimal(std::string_view text) {
  Decimal decimal;
  decimal.negative = take_sign(text);
  size_t mantissa_end = std::min(text.find_first_of("eE"), text.size());
  std::string_view mantissa = text.substr(0, mantissa_end);
  decimal.exponent = text.substr(std::min(mantissa_end + 1, text.size()));
  decimal.exponent_negative = take_sign(decimal.exponent);
  size_t first = mantissa.find_first_not_of("0.");
  if (first == mantissa.npos) return decimal;
  size_t last = mantissa.find_last_not_of("0.");
  decimal.digits = mantissa.substr(first, last - first + 1);
  auto at = static_cast<int64_t>(first);
  auto point = static_cast<int64_t>(std::min(mantissa.find('.'), mantissa.size()));
  decimal.point = point >= at ? point - at : point - at + 1;
  return decimal;
}

// The difference of the exponents, or something beyond `kFar` in its direction: from there on no further
// digit can bring it back, and no text is so long that its point could.
int64_t exponent_difference(const Decimal& a, const Decimal& b) {
  constexpr int64_t kFar = 100'000'000'000'000'000;
  size_t length = std::max(a.exponent.size(), b.exponent.size());
  auto digit = [&](const Decimal& of, size_t i) -> int64_t {
    size_t missing = length - of.exponent.size();
    if (i < missing) return 0;
    int64_t value = of.exponent[i - missing] - '0';
    return of.exponent_negative ? -value : value;
  };
  int64_t difference = 0;
  for (size_t i = 0; i < length && std::abs(difference) < kFar; ++i)
    difference = difference * 10 + digit(a, i) - digit(b, i);
  return difference;
}

std::strong_ordering compare_digits(std::string_view a, std::string_view b) {
  for (size_t i = 0, j = 0;; ++i, ++j) {
    if (i < a.size() && a[i] == '.') ++i;
    if (j < b.size() && b[j] == '.') ++j;
    if (i >= a.size() || j >= b.size()) return (i < a.size()) <=> (j < b.size());
    if (a[i] != b[j]) return a[i] <=> b[j];
  }
}

std::strong_ordering compare_magnitudes(const Decimal& a, const Decimal& b) {
  int64_t difference = exponent_difference(a, b) + a.point - b.point;
  return difference != 0 ? difference <=> 0 : compare_digits(a.digits, b.digits);
}

// -1, 0 or 1.
int sign_of(const Decimal& decimal) {
  if (decimal.digits.empty()) return 0;
  return decimal.negative ? -1 : 1;
}

}  // namespace

std::strong_ordering compare_json_numbers(std::string_view a, std::string_view b) {
  Decimal left = parse_decimal(a), right = parse_decimal(b);
  int sign = sign_of(left);
  if (sign != sign_of(right)) return sign <=> sign_of(right);
  if (sign == 0) return std::strong_ordering::equal;
  return sign > 0 ? compare_magnitudes(left, right) : compare_magnitudes(right, left);
}

bool is_zero_json_number(std::string_view number) { return parse_decimal(number).digits.empty(); }

}  // namespace plz
