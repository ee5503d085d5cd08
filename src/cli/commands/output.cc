#include <fmt/core.h>

#include "base/text.h"
#include "cli/attendance.h"
#include "cli/commands/commands.h"
#include "cli/commands/composite.h"
#include "cli/execution_report.h"
#include "cli/interrupt.h"
#include "cli/monitored_source.h"
#include "cli/output_place.h"
#include "cli/output_retrieval.h"
#include "cli/part_outputs.h"
#include "cli/patient_blobs.h"
#include "os/file.h"
#include "store/materialise.h"

namespace plz {
namespace {

class OutputCommand {
 public:
  OutputCommand(Session& session, const OutputOptions& options, const Execution& execution, Endpoint endpoint)
      : session_(session),
        options_(options),
        execution_(execution),
        blobs_(session, interrupt_, std::move(endpoint), std::nullopt),
        source_(blobs_, interrupt_.flag(), session.messages()),
        pattern_(output_pattern(options.output_directory, session.working_directory())),
        directory_(expand_output_pattern(pattern_, execution.id)) {}

  Result<int> retrieve() {
    session_.messages().info("Retrieving the output...");
    auto retrieved = execution_.spec.is_composite() ? retrieve_parts() : retrieve_one();
    if (!retrieved && interrupt_.raised()) {
      session_.messages().plain("");
      tell_how_to_get_output(session_.messages(), execution_.id);
      return interrupt_.exit_status();
    }
    if (!retrieved) return fail(std::move(retrieved).error());
    remember_output(session_, pattern_, directory_);
    session_.messages().info("Done and dusted.");
    return 0;
  }

 private:
  Result<void> retrieve_one() {
    if (execution_.spec.indices) return retrieve_part(execution_);
    PLZ_ASSIGN(const std::optional<Digest> tree, stored_output(execution_));
    if (options_.path) return retrieve_path(tree, *options_.path, directory_);
    PLZ_TRY(retrieve_output(tree, directory_, source_));
    return tell_paths(tree, "");
  }

  Result<void> retrieve_parts() {
    PLZ_ASSIGN(const auto parts, parts_of(session_, execution_.id));
    PLZ_TRY(make_directories(directory_));
    for (const Execution& part : parts) PLZ_TRY(retrieve_part(part));
    return {};
  }

  Result<void> retrieve_part(Execution part) {
    if (!part.output_tree && !has_kept_output(part) &&
        (part.state == ExecutionState::finished || !options_.force_if_running)) {
      const int64_t index = part.spec.indices.value_or(IndexRange{}).from;
      session_.messages().warning(
          fmt::format("{} has no output{}", part_directory(index),
                      part.state == ExecutionState::finished ? "" : " yet: it has not finished"));
      return {};
    }
    PLZ_ASSIGN(part.output_tree, stored_output(part));
    PLZ_ASSIGN(const auto outputs, index_outputs(part, source_));
    for (const IndexOutput& output : outputs) PLZ_TRY(retrieve_index(output));
    return {};
  }

  Result<void> retrieve_index(const IndexOutput& output) {
    const std::string name = part_directory(output.index);
    const std::string directory = join_path(directory_, name);
    if (options_.path) return retrieve_path(output.entry.digest, *options_.path, directory);
    if (!options_.rewrite_subexecutions && path_exists(directory)) {
      session_.messages().info(fmt::format("{} is there already", name));
      return {};
    }
    PLZ_TRY(retrieve_entry(output.entry, directory, options_.rewrite_subexecutions, source_));
    session_.messages().plain(name);
    return tell_paths(output.entry.digest, name + "/");
  }

  // One file or directory, below `directory` under the same path.
  Result<void> retrieve_path(const std::optional<Digest>& tree, const std::string& path, const std::string& directory) {
    std::string_view wanted = trim(path);
    while (wanted.ends_with('/')) wanted.remove_suffix(1);
    std::optional<TreeEntry> entry;
    if (tree) {
      PLZ_ASSIGN(entry, find_entry(*tree, wanted, source_));
    }
    if (!entry) return fail(ErrorCode::not_found, fmt::format("the output has no {}", printable(path)), nearby_hint());
    const std::string destination = absolute_path(wanted, directory);
    PLZ_TRY(retrieve_entry(*entry, destination, false, source_));
    session_.messages().plain(printable(wanted));
    if (entry->kind != EntryKind::directory) return {};
    return tell_paths(entry->digest, std::string(wanted) + "/");
  }

  std::string nearby_hint() const { return "without --path, all of it is retrieved and listed"; }

  // What is stored, which may be nothing; of a running execution, what it has written so far.
  Result<std::optional<Digest>> stored_output(const Execution& execution) {
    if (execution.output_tree) return *execution.output_tree;
    if (has_kept_output(execution)) return kept_output(execution);
    if (execution.state == ExecutionState::finished) return refuse_unless_empty(execution);
    if (!options_.force_if_running)
      return fail(ErrorCode::conflict, fmt::format("the execution {} has not finished", execution.id.to_string()),
                  "--force-if-running retrieves what it has written so far");
    return captured_output(execution, "the output could not be captured: ");
  }

  // Its worker could not store it at the end: perhaps it can now.
  Result<std::optional<Digest>> kept_output(const Execution& execution) {
    session_.messages().info("It could not be stored at the end: fetching it from where it is kept");
    auto output = captured_output(execution, "the output is kept on its instance, and cannot be stored now either: ");
    if (!output && output.error().hint.empty())
      output.error().hint = outcome_sentence(execution.outcome.value_or(Outcome{}));
    return output;
  }

  Result<std::optional<Digest>> captured_output(const Execution& execution, std::string_view otherwise) {
    PLZ_ASSIGN(const CaptureReport report, session_.call([&](ApiClient& api) {
      auto subscription = interrupt_.on_raise([&api] { api.cancel(); });
      return api.capture_output(execution.id);
    }));
    if (report.error.empty()) return report.output_tree;
    return fail(ErrorCode::unavailable, std::string(otherwise) + report.error);
  }

  // A command that ran to its end and wrote nothing has an output: an empty one.
  static Result<std::optional<Digest>> refuse_unless_empty(const Execution& execution) {
    const Outcome outcome = execution.outcome.value_or(Outcome{});
    if (outcome.kind == OutcomeKind::succeeded || outcome.kind == OutcomeKind::exited ||
        outcome.kind == OutcomeKind::signalled || outcome.kind == OutcomeKind::stopped)
      return std::nullopt;
    return fail(ErrorCode::not_found, fmt::format("the execution {} has no output", execution.id.to_string()),
                outcome_sentence(outcome));
  }

  Result<void> tell_paths(const std::optional<Digest>& tree, const std::string& prefix) {
    if (!tree) return {};
    PLZ_ASSIGN(const auto paths, paths_in_tree(*tree, source_));
    for (const auto& path : paths) session_.messages().plain(printable(prefix + path));
    return {};
  }

  Session& session_;
  const OutputOptions& options_;
  const Execution& execution_;
  Interrupt interrupt_;
  PatientBlobs blobs_;
  MonitoredSource source_;
  const std::string pattern_, directory_;
};

}  // namespace

Result<int> perform(Session& session, const OutputOptions& options) {
  PLZ_ASSIGN(const Execution execution, session.execution(options.execution));
  PLZ_ASSIGN(Endpoint endpoint, session.endpoint());
  return OutputCommand(session, options, execution, std::move(endpoint)).retrieve();
}

}  // namespace plz
