// What differs between two JSON texts, by path.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plz {

struct JsonDifference {
  std::string path;    // "machine.kernel"; of a list, "packages[3]"; empty: the whole
  std::string before;  // the value's text; empty: absent
  std::string after;
  bool operator==(const JsonDifference&) const = default;
};

// Objects are compared by their members whatever their order, lists by position, numbers by value
// (1.0 is 1), all else by text. In the order of the first text, then what only the second has.
std::vector<JsonDifference> json_differences(std::string_view before, std::string_view after);

// "machine.kernel: "6.1" before, "6.8" now"; cut where a value is long.
std::string difference_sentence(const JsonDifference& difference);

}  // namespace plz
