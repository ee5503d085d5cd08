#include "cli/execution_comparison.h"

#include <algorithm>
#include <set>

#include "cli/commands/composite.h"
#include "cli/json_view.h"
#include "cli/part_outputs.h"
#include "store/materialise.h"
#include "wire/json_text.h"

namespace plz {
namespace {

std::string command_json(const std::vector<std::string>& command) {
  std::string json = "[";
  for (const auto& argument : command) json += (json.size() > 1 ? ", " : "") + quote_json(argument);
  return json + "]";
}

Result<Tree> tree_or_empty(const std::optional<Digest>& digest, BlobSource& source) {
  if (!digest) return Tree();
  return fetch_tree(*digest, source);
}

std::optional<Digest> input_tree(const ExecutionSpec& spec) {
  if (!spec.input) return std::nullopt;
  return spec.input->tree;
}

Result<Tree> output_of(Session& session, const Execution& execution, BlobSource& source) {
  if (!execution.spec.is_composite()) return tree_or_empty(execution.output_tree, source);
  PLZ_ASSIGN(const auto parts, parts_of(session, execution));
  return join_part_outputs(parts, source);
}

std::string outcome_json(const Execution& execution) {
  if (!execution.outcome) return "{}";
  return "{\"outcome\": " + quote_json(to_string(execution.outcome->kind)) + ", \"exit_status\": " +
         (execution.outcome->exit_status ? std::to_string(*execution.outcome->exit_status) : "null") + "}";
}

std::set<std::string> variable_names(const ExecutionSpec& spec) {
  std::set<std::string> names;
  const auto list = json_find(spec.metadata.text, {"environment", "names"});
  if (!list) return names;
  for (std::string_view name : json_elements(*list)) names.insert(json_plain(name));
  return names;
}

// By name: of most variables only the names are recorded.
std::vector<JsonDifference> variable_differences(const ExecutionSpec& before, const ExecutionSpec& after) {
  const auto first = variable_names(before), second = variable_names(after);
  std::vector<JsonDifference> differences =
      json_differences(json_find(before.metadata.text, {"environment", "values"}).value_or("{}"),
                       json_find(after.metadata.text, {"environment", "values"}).value_or("{}"));
  std::set<std::string> told;
  for (auto& difference : differences) {
    told.insert(difference.path);
    difference.path = "environment." + difference.path;
  }
  auto only_in = [&](const std::set<std::string>& these, const std::set<std::string>& those, bool was) {
    for (const auto& name : these)
      if (!those.contains(name) && !told.contains(name))
        differences.push_back({"environment." + name, was ? "set" : "", was ? "" : "set"});
  };
  only_in(first, second, true);
  only_in(second, first, false);
  return differences;
}

// What was asked for; which image a rerun was pinned to follows from the execution before.
std::string recipe_json(const EnvironmentRecipe& recipe) {
  std::string json = "{";
  auto add = [&](std::string_view name, const std::string& value) {
    json += (json.size() > 1 ? ", \"" : "\"") + std::string(name) + "\": " + value;
  };
  if (!recipe.image.empty()) add("image", quote_json(recipe.image));
  if (!recipe.image_extensions.empty()) add("image_extensions", command_json(recipe.image_extensions));
  if (recipe.dockerfile) add("dockerfile", "true");
  return json + "}";
}

void append_under(std::string_view name, std::vector<JsonDifference> found, std::vector<JsonDifference>& all) {
  for (auto& difference : found) {
    difference.path = std::string(name) + (name.empty() || difference.path.empty() ? "" : ".") + difference.path;
    all.push_back(std::move(difference));
  }
}

std::vector<JsonDifference> image_differences(const Execution& before, const Execution& after) {
  std::vector<JsonDifference> differences;
  append_under(
      "recipe",
      json_differences(recipe_json(before.spec.snapshot.environment), recipe_json(after.spec.snapshot.environment)),
      differences);
  if (before.image && after.image && before.image->id != after.image->id)
    differences.push_back({"image", quote_json(before.image->id), quote_json(after.image->id)});
  return differences;
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

}  // namespace

std::vector<JsonDifference> environment_differences(const ExecutionSpec& before, const ExecutionSpec& after,
                                                    BlobSource& source) {
  std::vector<JsonDifference> differences = variable_differences(before, after);
  for (std::string_view part : {"machine", "python"}) {
    const auto first = json_find(before.metadata.text, {part}), second = json_find(after.metadata.text, {part});
    append_under(part, json_differences(first.value_or("{}"), second.value_or("{}")), differences);
  }
  spell_out_inventories(before, after, source, differences);
  return differences;
}

Result<CauseDifferences> compare_causes(const Execution& earlier, const Execution& later, BlobSource& source) {
  const ExecutionSpec &before = earlier.spec, &after = later.spec;
  CauseDifferences differences;
  differences.command = json_differences(command_json(before.command), command_json(after.command));
  differences.parameters = json_differences(before.parameters.text, after.parameters.text);
  differences.configuration = json_differences(before.configuration.text, after.configuration.text);
  differences.environment = image_differences(earlier, later);
  append_under("", environment_differences(before, after, source), differences.environment);
  PLZ_ASSIGN(differences.code, tree_differences(before.snapshot.code_tree, after.snapshot.code_tree, source));
  if (input_tree(before) != input_tree(after)) {
    PLZ_ASSIGN(const Tree first, tree_or_empty(input_tree(before), source));
    PLZ_ASSIGN(const Tree second, tree_or_empty(input_tree(after), source));
    PLZ_ASSIGN(differences.input, tree_differences(first, second, source));
  }
  return differences;
}

Result<ResultDifferences> compare_results(Session& session, const Execution& before, const Execution& after,
                                          BlobSource& source) {
  ResultDifferences differences;
  differences.outcome = json_differences(outcome_json(before), outcome_json(after));
  PLZ_ASSIGN(const Tree first, output_of(session, before, source));
  PLZ_ASSIGN(const Tree second, output_of(session, after, source));
  PLZ_ASSIGN(differences.output, tree_differences(first, second, source));
  PLZ_ASSIGN(const std::string then, session.call([&](ApiClient& api) { return api.measures(before.id); }));
  PLZ_ASSIGN(const std::string now, session.call([&](ApiClient& api) { return api.measures(after.id); }));
  differences.measures = json_differences(then, now);
  return differences;
}

}  // namespace plz
