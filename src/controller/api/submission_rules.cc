#include "controller/api/submission_rules.h"

#include <fmt/core.h>

#include "controller/api/field_rules.h"

namespace plz {
namespace {

constexpr size_t kMostNameBytes = 1024;
// As much as the kernel takes: MAX_ARG_STRLEN of one argument, three quarters of the largest stack's quarter
// (execve(2)) of all.
constexpr size_t kMostArgumentBytes = 131'071;
constexpr size_t kMostArgumentsBytes = 6u << 20;
constexpr size_t kMostArguments = 1'000'000;
constexpr size_t kMostJsonBytes = 64u << 20;
constexpr size_t kMostSourceBytes = 64u << 10;
constexpr size_t kMostImageLines = 10'000;
constexpr size_t kMostImageBytes = 1u << 20;
constexpr size_t kMostPatterns = 10'000;
constexpr size_t kMostPatternBytes = 4096;
constexpr double kMostProcessors = 1e6;
constexpr uint32_t kMostGpus = 1024;
constexpr double kMostDollars = 1e6;
constexpr int64_t kHundredYearsInMinutes = 100LL * 366 * 24 * 60;

// A container's image has a command of its own.
Result<void> check_recipe(const ExecutionSpec& spec) {
  const EnvironmentRecipe& recipe = spec.snapshot.environment;
  if (spec.command.empty() && !recipe.uses_container())
    return fail(ErrorCode::invalid, "there is no command to run",
                "give one: plz run -- COMMAND, or \"command\" in plz.config.json");
  if (recipe.dockerfile && !(recipe.image.empty() && recipe.image_extensions.empty()))
    return fail(ErrorCode::invalid, "snapshot.environment: an image cannot stand beside dockerfile",
                "give one of them");
  if (recipe.pinned && !recipe.uses_container())
    return fail(ErrorCode::invalid, "snapshot.environment: pinned needs the recipe that the image came from",
                "give image or dockerfile, too");
  PLZ_TRY(check_text("spec.snapshot.environment.image", recipe.image, kMostNameBytes));
  PLZ_TRY(check_texts("spec.snapshot.environment.image_extensions", recipe.image_extensions, kMostImageLines,
                      kMostImageBytes, kMostImageBytes));
  return recipe.pinned ? check_image("spec.snapshot.environment.pinned", *recipe.pinned) : Result<void>();
}

Result<void> check_command(const ExecutionSpec& spec) {
  if (!spec.command.empty() && spec.command.front().empty())
    return fail(ErrorCode::invalid, "spec.command must name a program: its first text is empty");
  return check_texts("spec.command", spec.command, kMostArguments, kMostArgumentBytes, kMostArgumentsBytes);
}

Result<void> check_variables(std::string_view field, const EnvironmentVariables& variables) {
  size_t bytes = 0;
  for (const auto& [name, value] : variables) {
    if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != name.npos)
      return fail(ErrorCode::invalid, fmt::format("{} must have names that are not empty, without '=' and NUL", field));
    bytes += name.size() + value.size() + 2;
    PLZ_TRY(check_text(fmt::format("{}.{}", field, name), value, kMostArgumentBytes));
    if (bytes > kMostArgumentsBytes)
      return fail(ErrorCode::invalid, fmt::format("{} must have at most {} bytes in all", field, kMostArgumentsBytes));
  }
  return {};
}

Result<void> check_runtime(const ExecutionSpec& spec) {
  if (spec.runtime.empty()) return {};
  if (spec.runtime != "sandbox" && spec.runtime != "process")
    return fail(ErrorCode::invalid, "spec.runtime must be sandbox or process, or be left out");
  if (!spec.snapshot.environment.uses_container()) return {};
  return fail(ErrorCode::invalid, "spec.runtime cannot stand beside an image: that runs in a container");
}

Result<void> check_market(const MarketSpec& market) {
  PLZ_TRY(check_text("spec.instance_type", market.instance_type, kMostNameBytes));
  if (market.max_bid_price_in_dollars_per_hour)
    PLZ_TRY(check_positive("spec.max_bid_price_in_dollars_per_hour", *market.max_bid_price_in_dollars_per_hour,
                           kMostDollars));
  PLZ_TRY(check_whole("spec.instance_max_uptime_in_minutes", market.instance_max_uptime_in_minutes.value_or(0), 0,
                      kHundredYearsInMinutes));
  return check_whole("spec.instance_max_idle_time_in_minutes", market.instance_max_idle_time_in_minutes, 0,
                     kHundredYearsInMinutes);
}

Result<void> check_indices(const ExecutionSpec& spec) {
  if (spec.parent_id || spec.indices)
    return fail(ErrorCode::invalid, "spec.parent_id and spec.indices are set for the parts of a composite alone",
                "give parallel_indices_range: the parts are made of it");
  PLZ_TRY(check_whole("spec.indices_per_execution", spec.indices_per_execution, 1, INT64_MAX));
  if (!spec.parallel_indices_range) return {};
  const IndexRange range = *spec.parallel_indices_range;
  PLZ_TRY(check_whole("spec.parallel_indices_range[0]", range.from, 0, INT64_MAX));
  const int64_t parts = range.size() / spec.indices_per_execution + (range.size() % spec.indices_per_execution != 0);
  if (parts > kMostParts)
    return fail(
        ErrorCode::invalid,
        fmt::format("spec.parallel_indices_range would make {} sub-executions; {} is the most", parts, kMostParts),
        "raise indices_per_execution");
  return {};
}

}  // namespace

Result<void> check_resources(const Resources& resources) {
  PLZ_TRY(check_positive("spec.resources.cpus", resources.cpus, kMostProcessors));
  PLZ_TRY(check_whole("spec.resources.memory_bytes", resources.memory_bytes));
  return check_whole("spec.resources.gpus", uint64_t{resources.gpus}, kMostGpus);
}

Result<void> check_submission(const Submission& submission) {
  const ExecutionSpec& spec = submission.spec;
  PLZ_TRY(check_printable("spec.user", spec.user, kMostNameBytes));
  PLZ_TRY(check_printable("spec.project", spec.project, kMostNameBytes));
  PLZ_TRY(check_recipe(spec));
  PLZ_TRY(check_command(spec));
  PLZ_TRY(check_runtime(spec));
  PLZ_TRY(check_texts("spec.outputs", spec.outputs, kMostPatterns, kMostPatternBytes, kMostImageBytes));
  PLZ_TRY(check_text("spec.parameters", spec.parameters.text, kMostJsonBytes));
  PLZ_TRY(check_text("spec.docker_run_args", spec.docker_run_args.text, kMostImageBytes));
  PLZ_TRY(check_text("spec.configuration", spec.configuration.text, kMostJsonBytes));
  PLZ_TRY(check_text("spec.metadata", spec.metadata.text, kMostJsonBytes));
  if (spec.input) {
    PLZ_TRY(check_text("spec.input.source", spec.input->source, kMostSourceBytes));
    PLZ_TRY(check_whole("spec.input.total_bytes", spec.input->total_bytes));
  }
  PLZ_TRY(check_market(spec.market));
  PLZ_TRY(check_resources(spec.resources));
  PLZ_TRY(check_variables("spec.environment", spec.environment));
  PLZ_TRY(check_variables("shell_environment", submission.shell_environment));
  return check_indices(spec);
}

}  // namespace plz
