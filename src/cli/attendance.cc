#include "cli/attendance.h"

#include <fmt/core.h>

#include "base/text.h"
#include "cli/execution_report.h"
#include "cli/json_view.h"
#include "cli/log_damage.h"
#include "cli/log_follower.h"
#include "cli/monitored_source.h"
#include "cli/output_place.h"
#include "cli/output_retrieval.h"
#include "cli/patient_blobs.h"
#include "cli/preparation_watch.h"
#include "cli/waiting_note.h"
#include "wire/json_text.h"

namespace plz {
namespace {

constexpr std::chrono::seconds kLongPoll{60};
constexpr int kLogDamagedStatus = 125;  // plz's own failure: what was shown is not what the job printed
constexpr std::chrono::milliseconds kPauseBetweenTries{100};

class Attendance {
 public:
  Attendance(Session& session, Interrupt& interrupt, ExecutionId id, const EnvironmentRecipe& recipe,
             const std::string& pattern)
      : session_(session),
        messages_(session.messages()),
        interrupt_(interrupt),
        id_(id),
        recipe_(recipe),
        pattern_(pattern) {}

  Result<int> attend() {
    messages_.info("Streaming logs...");
    std::optional<WaitingNote> note;
    if (auto endpoint = session_.endpoint()) note.emplace(*endpoint, id_, messages_);
    auto preparation = watch_preparation(session_, id_, recipe_);
    PLZ_ASSIGN(const FollowEnd end, LogFollower(session_, interrupt_).follow(LogsRequest{id_}, false));
    if (preparation && end == FollowEnd::complete) preparation->finish();
    preparation.reset();
    if (end == FollowEnd::interrupted) note.reset();
    if (end == FollowEnd::interrupted) return detach();
    messages_.plain("");
    messages_.info("Harvesting the output...");
    auto execution = wait_until_finished(session_, interrupt_, id_);
    note.reset();
    if (!execution && interrupt_.raised()) return detach();
    if (!execution) return fail(std::move(execution).error());
    const bool log_is_damaged = end == FollowEnd::complete && look_at_log();
    PLZ_ASSIGN(const int status, report(*execution));
    return status == 0 && log_is_damaged ? kLogDamagedStatus : status;
  }

 private:
  int detach() {
    messages_.plain("");
    tell_how_to_reattach(messages_, id_);
    return interrupt_.exit_status();
  }

  int leave_output() {
    messages_.plain("");
    tell_how_to_get_output(messages_, id_);
    return interrupt_.exit_status();
  }

  // The execution has ended well or not, whatever became of its log.
  bool look_at_log() {
    auto damaged = is_log_damaged(session_, interrupt_, id_, 0);
    if (!damaged) messages_.warning(damaged.error().message);
    return damaged && *damaged;
  }

  Result<int> report(const Execution& execution) {
    messages_.info("Retrieving summary of measures (if present)...");
    PLZ_ASSIGN(const auto summary, summary_of(session_, id_));
    if (summary) messages_.plain(indent_json(*summary));
    const bool succeeded = execution.outcome->succeeded();
    for (const auto& note : outcome_notes(*execution.outcome)) messages_.warning(note);
    if (succeeded) messages_.info("Execution succeeded.");
    if (succeeded || execution.output_tree) {
      auto retrieved = retrieve(execution);
      if (!retrieved && interrupt_.raised()) return leave_output();
      if (!retrieved) return fail(std::move(retrieved).error());
    }
    if (succeeded) messages_.info("Done and dusted.");
    else messages_.error(outcome_sentence(*execution.outcome));
    if (has_kept_output(execution) && !execution.output_tree)
      messages_.info(fmt::format("What was kept can be fetched once there is room: plz output {}", id_.to_string()));
    return exit_status_of(*execution.outcome);
  }

  Result<void> retrieve(const Execution& execution) {
    messages_.info("Retrieving the output...");
    if (!execution.output_tree) return {};
    auto brought = bring_output(session_, interrupt_, execution, pattern_);
    if (brought || interrupt_.raised()) return brought;
    if (!execution.outcome->succeeded()) {
      // The job's own failure is the news, and its status what plz exits with.
      messages_.warning("The output was not retrieved: " + brought.error().message);
      return {};
    }
    Error error = std::move(brought).error();
    if (error.hint.empty()) error.hint = fmt::format("plz output {} tries again", id_.to_string());
    return fail(std::move(error).with_context("the execution succeeded, but its output could not be retrieved"));
  }

  Session& session_;
  Messages& messages_;
  Interrupt& interrupt_;
  const ExecutionId id_;
  const EnvironmentRecipe& recipe_;
  const std::string& pattern_;
};

}  // namespace

Result<Execution> wait_until_finished(Session& session, Interrupt& interrupt, ExecutionId id) {
  std::optional<SteadyTime> failing_since;
  while (true) {
    auto api = session.api();
    auto execution = api.and_then([&](ApiClient* client) {
      auto subscription = interrupt.on_raise([client] { client->cancel(); });
      return client->wait(id, kLongPoll);
    });
    if (interrupt.raised()) return fail(ErrorCode::cancelled, "interrupted");
    if (execution && execution->state == ExecutionState::finished) return execution;
    if (execution) {
      failing_since.reset();
      continue;
    }
    if (!is_temporary(execution.error().code)) return execution;
    session.forget_connection();
    const SteadyTime now = session.clock().steady();
    if (!failing_since) failing_since = now;
    if (now - *failing_since > LogFollower::kPatience) {
      execution.error().hint = fmt::format("plz logs {} shows whether it goes on", id.to_string());
      return execution;
    }
    if (interrupt.wait_for(kPauseBetweenTries)) return execution;
  }
}

Result<std::optional<std::string>> summary_of(Session& session, ExecutionId id) {
  PLZ_ASSIGN(const std::string measures, session.call([&](ApiClient& api) { return api.measures(id, "summary"); }));
  auto summary = json_find(measures, {"summary"});
  if (!summary) return std::nullopt;
  return std::string(*summary);
}

Result<void> bring_output(Session& session, Interrupt& interrupt, const Execution& execution,
                          const std::string& pattern) {
  PLZ_ASSIGN(const auto blobs, PatientBlobs::open(session, interrupt, std::nullopt));
  MonitoredSource source(*blobs, interrupt.flag(), session.messages());
  const std::string directory = expand_output_pattern(pattern, execution.id);
  PLZ_TRY(retrieve_tree(*execution.output_tree, directory, false, source));
  remember_output(session, pattern, directory);
  PLZ_ASSIGN(const auto paths, paths_in_tree(*execution.output_tree, source));
  for (const auto& path : paths) session.messages().plain(printable(path));
  return {};
}

void tell_how_to_get_output(Messages& messages, ExecutionId id) {
  messages.info(fmt::format("Interrupted. The output is kept; to get it: plz output {}", id.to_string()));
}

void tell_how_to_reattach(Messages& messages, ExecutionId id) {
  messages.info(fmt::format("The execution goes on. To see it again: plz logs {}; to end it: plz stop {}",
                            id.to_string(), id.to_string()));
}

Result<int> attend(Session& session, Interrupt& interrupt, ExecutionId id, const EnvironmentRecipe& recipe,
                   const std::string& pattern) {
  return Attendance(session, interrupt, id, recipe, pattern).attend();
}

}  // namespace plz
