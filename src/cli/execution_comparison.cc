#include "cli/execution_comparison.h"

#include "cli/commands/composite.h"
#include "cli/environment_comparison.h"
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
  PLZ_ASSIGN(const auto parts, parts_of(session, execution.id));
  return join_part_outputs(parts, source);
}

std::string outcome_json(const Execution& execution) {
  if (!execution.outcome) return "{}";
  std::string json = "{\"outcome\": " + quote_json(to_string(execution.outcome->kind)) + ", \"exit_status\": " +
                     (execution.outcome->exit_status ? std::to_string(*execution.outcome->exit_status) : "null");
  // With the id: what two such executions computed says nothing, even where it is the same.
  if (ran_on_changed_files(*execution.outcome))
    json += ", \"files\": " + quote_json("not those that " + execution.id.to_string() + " was given");
  return json + "}";
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

std::vector<JsonDifference> image_differences(const Execution& before, const Execution& after) {
  std::vector<JsonDifference> differences;
  for (auto& difference :
       json_differences(recipe_json(before.spec.snapshot.environment), recipe_json(after.spec.snapshot.environment))) {
    difference.path = difference.path.empty() ? "recipe" : "recipe." + difference.path;
    differences.push_back(std::move(difference));
  }
  if (before.image && after.image && before.image->id != after.image->id)
    differences.push_back({"image", quote_json(before.image->id), quote_json(after.image->id)});
  return differences;
}

}  // namespace

Result<CauseDifferences> compare_causes(const Execution& earlier, const Execution& later, BlobSource& source) {
  const ExecutionSpec &before = earlier.spec, &after = later.spec;
  CauseDifferences differences;
  differences.command = json_differences(command_json(before.command), command_json(after.command));
  differences.parameters = json_differences(before.parameters.text, after.parameters.text);
  differences.configuration = json_differences(before.configuration.text, after.configuration.text);
  differences.environment = image_differences(earlier, later);
  EnvironmentComparison environment = compare_environments(before, after, source);
  differences.environment.insert(differences.environment.end(), environment.differences.begin(),
                                 environment.differences.end());
  differences.not_recorded = std::move(environment.not_recorded);
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

Result<Execution> counterpart_of(Session& session, const Execution& one, const Execution& other) {
  if (!one.spec.indices || !other.spec.is_composite()) return other;
  PLZ_ASSIGN(const auto parts, parts_of(session, other.id));
  for (const Execution& part : parts)
    if (part.spec.indices == one.spec.indices)  // known in brief only
      return session.execution(part.id);
  return other;
}

}  // namespace plz
