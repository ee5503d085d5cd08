#include <fmt/core.h>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/commands/composite.h"
#include "cli/commands/run_steps.h"
#include "cli/environment_comparison.h"
#include "cli/output_place.h"
#include "cli/parameters.h"
#include "os/file.h"
#include "os/glob.h"
#include "wire/json_text.h"

namespace plz {
namespace {

constexpr size_t kMostDifferencesShown = 20;
constexpr std::string_view kWorkingDirectory = "/src";

Result<std::optional<JsonText>> overridden_parameters(Session& session, const RerunOptions& options,
                                                      const Execution& earlier) {
  if (!options.parameters_path) return std::nullopt;
  PLZ_ASSIGN(const JsonText over,
             load_parameters_file(absolute_path(*options.parameters_path, session.working_directory())));
  return JsonText{merge_json_objects(earlier.spec.parameters.text, over.text)};
}

void tell_what_differs(Messages& messages, const Execution& earlier, const Prepared& prepared) {
  const auto [differences, not_recorded] =
      compare_environments(earlier.spec, prepared.submission.spec, *prepared.blobs);
  if (!not_recorded.empty()) messages.info(not_compared_sentence(not_recorded));
  if (differences.empty()) return;
  messages.warning("The environment differs from that of " + earlier.id.to_string() + ":");
  for (size_t i = 0; i < differences.size() && i < kMostDifferencesShown; ++i)
    messages.plain("  " + difference_sentence(differences[i]));
  if (differences.size() > kMostDifferencesShown)
    messages.plain(fmt::format("  and {} more: plz diff shows them", differences.size() - kMostDifferencesShown));
}

// Neighbouring failed groups of indices, joined.
std::vector<IndexRange> failed_ranges(const std::vector<Execution>& parts) {
  std::vector<IndexRange> ranges;
  for (const Execution& part : parts) {
    if (!part.spec.indices || !part.outcome || part.outcome->succeeded()) continue;
    if (!ranges.empty() && ranges.back().to == part.spec.indices->from) ranges.back().to = part.spec.indices->to;
    else ranges.push_back(*part.spec.indices);
  }
  return ranges;
}

int stop_before(Session& session, const Interrupt& interrupt, const IndexRange& range, const IndexRange& first) {
  if (range == first) return nothing_submitted(session, interrupt);
  session.messages().plain("");
  session.messages().info(fmt::format("Interrupted: from index {} on nothing was submitted", range.from));
  return interrupt.exit_status();
}

Result<int> rerun_failed(Session& session, Interrupt& interrupt, const Execution& earlier,
                         const std::optional<JsonText>& parameters) {
  if (!earlier.spec.is_composite())
    return fail(ErrorCode::invalid, "--failed-only is for executions over indices, and this is none",
                "plz rerun runs it again as a whole");
  PLZ_ASSIGN(const auto parts, parts_of(session, earlier.id));
  const auto ranges = failed_ranges(parts);
  if (ranges.empty()) session.messages().info("None of its parts has failed");
  for (const IndexRange& range : ranges) {
    auto prepared = prepare_rerun(session, interrupt, earlier, parameters);
    if (!prepared && interrupt.raised()) return stop_before(session, interrupt, range, ranges.front());
    if (!prepared) return fail(std::move(prepared).error());
    if (range == ranges.front()) tell_what_differs(session.messages(), earlier, *prepared);
    prepared->submission.spec.parallel_indices_range = range;
    session.messages().info(fmt::format("Indices {} to {}", range.from, range.to - 1));
    PLZ_TRY(submit_and_attend(session, interrupt, std::move(*prepared), "", true));
  }
  return 0;
}

Result<void> check_outputs(const std::vector<std::string>& outputs) {
  for (const auto& pattern : outputs)
    if (!Glob::make(pattern, kWorkingDirectory))
      return fail(ErrorCode::invalid,
                  fmt::format("--outputs: \"{}\" lies outside of the job's working directory", printable(pattern)),
                  "paths are relative to that, and . is all of it");
  return {};
}

}  // namespace

Result<int> perform(Session& session, const RerunOptions& options) {
  PLZ_TRY(check_outputs(options.outputs));
  const std::string pattern = output_pattern(options.output_directory, session.working_directory());
  PLZ_TRY(check_output_pattern(pattern));
  Interrupt interrupt;
  PLZ_ASSIGN(Execution earlier, session.execution(options.execution));
  if (!options.outputs.empty()) earlier.spec.outputs = options.outputs;
  if (!options.runtime.empty() && earlier.spec.snapshot.environment.uses_container())
    return fail(ErrorCode::invalid, "--runtime cannot stand beside an image: that runs in a container",
                "leave --runtime out");
  if (!options.runtime.empty()) earlier.spec.runtime = options.runtime;
  PLZ_ASSIGN(const auto parameters, overridden_parameters(session, options, earlier));
  session.messages().info("Running " + earlier.id.to_string() + " again");
  if (options.failed_only) return rerun_failed(session, interrupt, earlier, parameters);
  auto prepared = prepare_rerun(session, interrupt, earlier, parameters);
  if (!prepared && interrupt.raised()) return nothing_submitted(session, interrupt);
  if (!prepared) return fail(std::move(prepared).error());
  tell_what_differs(session.messages(), earlier, *prepared);
  return submit_and_attend(session, interrupt, std::move(*prepared), pattern, options.detach);
}

}  // namespace plz
