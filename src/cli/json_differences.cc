#include "cli/json_differences.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include <fmt/core.h>

#include "base/text.h"
#include "cli/json_view.h"

namespace plz {
namespace {

constexpr size_t kLongestValue = 120;

bool is_list(std::string_view text) { return trim(text).starts_with('['); }

std::optional<double> number_of(std::string_view text) {
  text = trim(text);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool are_equal_values(std::string_view a, std::string_view b) {
  if (trim(a) == trim(b)) return true;
  const auto first = number_of(a), second = number_of(b);
  if (first && second) return *first == *second;
  // One string may be written with different escapes.
  return trim(a).starts_with('"') && trim(b).starts_with('"') && json_plain(a) == json_plain(b);
}

class Comparison {
 public:
  void compare(const std::string& path, std::string_view before, std::string_view after) {
    if (is_json_object(before) && is_json_object(after)) return compare_objects(path, before, after);
    if (is_list(before) && is_list(after)) return compare_lists(path, before, after);
    if (!are_equal_values(before, after)) note(path, before, after);
  }

  std::vector<JsonDifference> take() { return std::move(differences_); }

 private:
  using Members = std::vector<std::pair<std::string, std::string_view>>;
  using Index = std::map<std::string, std::string_view>;

  static std::string join(const std::string& path, const std::string& name) {
    return path.empty() ? name : path + "." + name;
  }

  void compare_objects(const std::string& path, std::string_view before, std::string_view after) {
    const Members first = json_members(before), second = json_members(after);
    const Index first_index(first.begin(), first.end()), second_index(second.begin(), second.end());
    for (const auto& [name, value] : first) {
      const auto other = second_index.find(name);
      if (other != second_index.end()) compare(join(path, name), value, other->second);
      else note(join(path, name), value, "");
    }
    for (const auto& [name, value] : second)
      if (!first_index.contains(name)) note(join(path, name), "", value);
  }

  void compare_lists(const std::string& path, std::string_view before, std::string_view after) {
    const auto first = json_elements(before), second = json_elements(after);
    for (size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
      const std::string at = fmt::format("{}[{}]", path, i);
      if (i < first.size() && i < second.size()) compare(at, first[i], second[i]);
      else if (i < first.size()) note(at, first[i], "");
      else note(at, "", second[i]);
    }
  }

  void note(std::string path, std::string_view before, std::string_view after) {
    differences_.push_back({std::move(path), std::string(trim(before)), std::string(trim(after))});
  }

  std::vector<JsonDifference> differences_;
};

std::string shown(const std::string& value) {
  if (value.empty()) return "nothing";
  if (value.size() <= kLongestValue) return printable(value);
  return printable(value.substr(0, kLongestValue)) + "…";
}

}  // namespace

std::vector<JsonDifference> json_differences(std::string_view before, std::string_view after) {
  Comparison comparison;
  comparison.compare("", before, after);
  return comparison.take();
}

std::string difference_sentence(const JsonDifference& difference) {
  return fmt::format("{}: {} before, {} now", difference.path.empty() ? "value" : difference.path,
                     shown(difference.before), shown(difference.after));
}

}  // namespace plz
