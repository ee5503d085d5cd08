// Numbers as the text they came in, of any length: nothing is rounded.
#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace plz {

struct JsonNumber {
  std::string text = "0";
  bool operator==(const JsonNumber&) const = default;  // as text: 1.0 is not 1
};

// By value: 1.0, 1 and 10e-1 are equal, and so are 0 and -0. Both must be numbers of JSON's grammar
// (checked before); a digit may be missing before or after the point. Takes time linear in their
// length, whatever the exponents, and no memory.
std::strong_ordering compare_json_numbers(std::string_view a, std::string_view b);
bool is_zero_json_number(std::string_view number);

}  // namespace plz
