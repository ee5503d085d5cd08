#include "cli/environment_comparison.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/core.h>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/json_view.h"
#include "cli/recorded_variables.h"
#include "wire/json_text.h"

namespace plz {
namespace {

constexpr size_t kMostNames = 20;

// What is on record of every execution since the version of plz that began with it, empty or not. Where one lacks it,
// it was not looked at.
constexpr std::string_view kAlwaysThere[] = {"machine.cpu_features", "libraries", "python.libraries", "process"};

using Values = std::map<std::string, std::string>;  // name to JSON text

Values variable_values(const ExecutionSpec& spec) {
  Values values;
  for (const auto& [name, value] :
       json_members(json_find(spec.metadata.text, {"environment", "values"}).value_or("{}")))
    values.emplace(name, value);
  return values;
}

std::set<std::string> variable_names(const ExecutionSpec& spec) {
  std::set<std::string> names;
  const auto list = json_find(spec.metadata.text, {"environment", "names"});
  if (!list) return names;
  for (std::string_view name : json_elements(*list)) names.insert(json_plain(name));
  return names;
}

// Without its quotes, unless they are needed to see where it ends, or that it is there at all.
std::string shown_value(const std::string& json) {
  const std::string plain = json_plain(json);
  const bool is_clear =
      !plain.empty() && plain != "set" && plain != "nothing" &&
      std::all_of(plain.begin(), plain.end(), [](unsigned char c) { return c > ' ' && c < 0x7f && c != '"'; });
  return is_clear ? plain : json;
}

// What one side says of a variable.
struct Side {
  bool is_set;
  std::optional<std::string> value;  // recorded
};

class VariableComparison {
 public:
  VariableComparison(const ExecutionSpec& before, const ExecutionSpec& after)
      : first_names_(variable_names(before)),
        second_names_(variable_names(after)),
        first_values_(variable_values(before)),
        second_values_(variable_values(after)) {}

  void compare(EnvironmentComparison& result) const {
    for (const auto& name : all_names()) compare_one(name, result);
  }

  // Set on both sides, with values that nobody recorded.
  std::vector<std::string> without_values() const {
    std::vector<std::string> names;
    for (const auto& name : all_names())
      if (!first_values_.contains(name) && !second_values_.contains(name)) names.push_back(name);
    return names;
  }

 private:
  std::set<std::string> all_names() const {
    std::set<std::string> names = first_names_;
    names.insert(second_names_.begin(), second_names_.end());
    for (const Values* values : {&first_values_, &second_values_})
      for (const auto& [name, value] : *values) names.insert(name);
    return names;
  }

  static Side side(const std::string& name, const std::set<std::string>& names, const Values& values) {
    const auto value = values.find(name);
    if (value != values.end()) return {true, value->second};
    return {names.contains(name), std::nullopt};
  }

  void compare_one(const std::string& name, EnvironmentComparison& result) const {
    const Side before = side(name, first_names_, first_values_), after = side(name, second_names_, second_values_);
    if (before.is_set && after.is_set && before.value.has_value() != after.value.has_value())
      return result.not_recorded.push_back("the value of " + name);
    auto shown = [](const Side& one) {
      return !one.is_set ? "" : one.value ? shown_value(*one.value) : std::string("set");
    };
    if (before.is_set == after.is_set && before.value == after.value) return;
    result.differences.push_back({"environment." + name, shown(before), shown(after)});
  }

  const std::set<std::string> first_names_, second_names_;
  const Values first_values_, second_values_;
};

void append_under(std::string_view name, std::vector<JsonDifference> found, std::vector<JsonDifference>& all) {
  for (auto& difference : found) {
    difference.path = std::string(name) + (name.empty() || difference.path.empty() ? "" : ".") + difference.path;
    all.push_back(std::move(difference));
  }
}

std::optional<std::string> fetch_inventory(const JsonText& metadata, BlobSource& source) {
  const auto hex = json_find(metadata.text, {"python", "inventory"});
  const auto digest = hex ? Digest::parse(json_plain(*hex)) : std::nullopt;
  std::string text;
  auto receive = [&](size_t, std::string_view bytes) -> Result<void> {
    text = bytes;
    return {};
  };
  if (!digest || !source.fetch({&*digest, 1}, receive)) return std::nullopt;
  return text;
}

// Python's version and implementation stand in the metadata, too.
bool is_told_already(const JsonDifference& difference) {
  return difference.path == "version" || difference.path == "implementation";
}

// In place of the digests of the inventories what differs in them, if that can be found out.
void spell_out_inventories(const ExecutionSpec& before, const ExecutionSpec& after, BlobSource& source,
                           std::vector<JsonDifference>& differences) {
  const auto digests = std::find_if(differences.begin(), differences.end(), [](const JsonDifference& difference) {
    return difference.path == "python.inventory" && !difference.before.empty() && !difference.after.empty();
  });
  if (digests == differences.end()) return;
  const auto first = fetch_inventory(before.metadata, source), second = fetch_inventory(after.metadata, source);
  if (!first || !second) return;
  auto found = json_differences(*first, *second);
  std::erase_if(found, is_told_already);
  if (found.empty()) return;
  differences.erase(digests);
  append_under("python", std::move(found), differences);
}

// A whole object or list on one side, nothing on the other.
bool is_one_sided(const JsonDifference& difference) { return difference.before.empty() || difference.after.empty(); }

void set_apart_what_was_not_recorded(EnvironmentComparison& result) {
  std::erase_if(result.differences, [&](const JsonDifference& difference) {
    const bool always =
        std::find(std::begin(kAlwaysThere), std::end(kAlwaysThere), difference.path) != std::end(kAlwaysThere);
    if (!always || !is_one_sided(difference)) return false;
    result.not_recorded.push_back(difference.path);
    return true;
  });
}

// Instructions are a set: by their positions each would differ behind one that is new.
void compare_features(std::string_view before, std::string_view after, std::vector<JsonDifference>& differences) {
  std::set<std::string> first, second;
  for (auto name : json_elements(before)) first.insert(json_plain(name));
  for (auto name : json_elements(after)) second.insert(json_plain(name));
  for (const auto& name : first)
    if (!second.contains(name)) differences.push_back({"machine.cpu_features." + name, "there", ""});
  for (const auto& name : second)
    if (!first.contains(name)) differences.push_back({"machine.cpu_features." + name, "", "there"});
}

void compare_machines(const JsonText& before, const JsonText& after, std::vector<JsonDifference>& differences) {
  const auto first = json_find(before.text, {"machine", "cpu_features"}),
             second = json_find(after.text, {"machine", "cpu_features"});
  auto found = json_differences(json_find(before.text, {"machine"}).value_or("{}"),
                                json_find(after.text, {"machine"}).value_or("{}"));
  if (first && second) {
    std::erase_if(found, [](const JsonDifference& difference) { return difference.path.starts_with("cpu_features["); });
    compare_features(*first, *second, differences);
  }
  append_under("machine", std::move(found), differences);
}

// That there is nothing is told as a whole, not as each of its members.
void compare_part(const JsonText& before, const JsonText& after, std::string_view part,
                  std::vector<JsonDifference>& differences) {
  const auto first = json_find(before.text, {part}), second = json_find(after.text, {part});
  if (first && second) return append_under(part, json_differences(*first, *second), differences);
  if (first || second)
    differences.push_back({std::string(part), std::string(first.value_or("")), std::string(second.value_or(""))});
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size() && i < kMostNames; ++i) text += (i ? ", " : "") + printable(names[i]);
  if (names.size() > kMostNames) text += fmt::format(" and {} more", names.size() - kMostNames);
  return text;
}

bool has_gpus(const ExecutionSpec& spec) { return json_find(spec.metadata.text, {"machine", "gpus"}).has_value(); }

}  // namespace

EnvironmentComparison compare_environments(const ExecutionSpec& before, const ExecutionSpec& after,
                                           BlobSource& source) {
  EnvironmentComparison result;
  VariableComparison(before, after).compare(result);
  compare_machines(before.metadata, after.metadata, result.differences);
  for (std::string_view part : {"libraries", "process"})
    compare_part(before.metadata, after.metadata, part, result.differences);
  const auto first = json_find(before.metadata.text, {"python"}), second = json_find(after.metadata.text, {"python"});
  append_under("python", json_differences(first.value_or("{}"), second.value_or("{}")), result.differences);
  spell_out_inventories(before, after, source, result.differences);
  set_apart_what_was_not_recorded(result);
  return result;
}

std::vector<std::string> never_recorded(const ExecutionSpec& before, const ExecutionSpec& after) {
  std::vector<std::string> sentences;
  auto names = VariableComparison(before, after).without_values();
  // Of many, those that come to mind first.
  std::stable_partition(names.begin(), names.end(), is_known_to_change_results);
  if (!names.empty()) sentences.push_back("values of variables, of which the names are: " + joined(names));
  if (has_gpus(before) || has_gpus(after))
    sentences.push_back("the order in which the threads of a GPU add up, and what it ran beside");
  sentences.push_back("the order in which threads ran, the time, random numbers of the kernel");
  sentences.push_back("what came over the network");
  if (after.snapshot.environment.uses_container())
    sentences.push_back("what docker_run_args mount, and files that lay in caches of the engine");
  else sentences.push_back("files of the machine outside of code and input, such as those below ~/.cache");
  return sentences;
}

std::string not_compared_sentence(const std::vector<std::string>& not_recorded) {
  return "Not recorded of both, and so not compared: " + joined(not_recorded);
}

}  // namespace plz
