#include <fmt/core.h>

#include "cli/attendance.h"
#include "cli/commands/commands.h"
#include "cli/commands/run_steps.h"
#include "cli/environment_comparison.h"
#include "cli/execution_comparison.h"
#include "cli/execution_report.h"
#include "cli/interrupt.h"
#include "cli/monitored_source.h"
#include "cli/preparation.h"
#include "cli/preparation_watch.h"
#include "cli/submission.h"
#include "wire/json_text.h"

namespace plz {
namespace {

struct Verdict {
  Execution before, after;
  CauseDifferences causes;
  ResultDifferences results;
};

std::vector<std::string> sentences(const auto& differences, std::string_view what) {
  std::vector<std::string> all;
  for (const auto& difference : differences) all.push_back(fmt::format("{} {}", what, difference_sentence(difference)));
  return all;
}

void append(std::vector<std::string>& all, std::vector<std::string> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

std::vector<std::string> result_sentences(const ResultDifferences& results) {
  std::vector<std::string> all = sentences(results.outcome, "result");
  append(all, sentences(results.output, "output"));
  append(all, sentences(results.measures, "measure"));
  return all;
}

std::vector<std::string> cause_sentences(const CauseDifferences& causes) {
  std::vector<std::string> all = sentences(causes.code, "code");
  append(all, sentences(causes.input, "input"));
  append(all, sentences(causes.command, "command"));
  append(all, sentences(causes.parameters, "parameter"));
  append(all, sentences(causes.environment, "environment"));
  return all;
}

std::string indented(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += "  " + line + "\n";
  return text;
}

std::vector<std::string> not_recorded_sentences(const Verdict& verdict) {
  std::vector<std::string> all;
  for (const auto& what : verdict.causes.not_recorded) all.push_back(what + ", of one of the two");
  if (cause_sentences(verdict.causes).empty()) append(all, never_recorded(verdict.before.spec, verdict.after.spec));
  return all;
}

std::string causes_text(const Verdict& verdict) {
  const auto causes = cause_sentences(verdict.causes);
  if (!causes.empty()) return "Recorded Causes:\n" + indented(causes);
  return "No recorded cause: code, input, command, parameters and what is recorded of the environment are the same\n";
}

std::string as_text(const Verdict& verdict) {
  const auto results = result_sentences(verdict.results), not_recorded = not_recorded_sentences(verdict);
  if (results.empty()) return "Repeatable: True\n";
  return "Repeatable: False\nFirst Difference: " + results.front() + "\nDifferences:\n" + indented(results) +
         causes_text(verdict) + (not_recorded.empty() ? "" : "Not Recorded:\n" + indented(not_recorded));
}

std::string json_list(const std::vector<std::string>& texts) {
  std::string json = "[";
  for (const auto& text : texts) json += (json.size() > 1 ? ", " : "") + quote_json(text);
  return json + "]";
}

std::string as_json(const Verdict& verdict) {
  const std::string json = fmt::format(
      "{{\"repeatable\": {}, \"execution_id\": \"{}\", \"rerun_execution_id\": \"{}\", "
      "\"differences\": {}, "
      "\"causes\": {}, \"not_recorded\": {}}}",
      verdict.results.empty(), verdict.before.id.to_string(), verdict.after.id.to_string(),
      json_list(result_sentences(verdict.results)), json_list(cause_sentences(verdict.causes)),
      json_list(not_recorded_sentences(verdict)));
  return indent_json(json) + "\n";
}

Result<Execution> run_again(Session& session, Interrupt& interrupt, const Execution& earlier) {
  auto prepared = prepare_rerun(session, interrupt, earlier, std::nullopt);
  if (!prepared && interrupt.raised()) (void)nothing_submitted(session, interrupt);
  if (!prepared) return fail(std::move(prepared).error());
  PLZ_ASSIGN(const ExecutionId id, submit(session, interrupt, prepared->submission));
  session.messages().info(fmt::format("Running {} again as {}", earlier.id.to_string(), id.to_string()));
  auto preparation = watch_preparation(session, id, prepared->submission.spec.snapshot.environment);
  auto finished = wait_until_finished(session, interrupt, id);
  if (preparation && finished) preparation->finish();
  if (!finished && interrupt.raised()) tell_how_to_reattach(session.messages(), id);
  return finished;
}

Result<Verdict> compare(Session& session, Interrupt& interrupt, const Execution& before, const Execution& repeated) {
  PLZ_ASSIGN(const Execution after, counterpart_of(session, before, repeated));
  Verdict verdict{before, after, {}, {}};
  PLZ_ASSIGN(const auto blobs, PatientBlobs::open(session, interrupt, std::nullopt));
  MonitoredSource source(*blobs, interrupt.flag(), session.messages());
  PLZ_ASSIGN(verdict.results, compare_results(session, before, after, source));
  PLZ_ASSIGN(verdict.causes, compare_causes(before, after, source));
  return verdict;
}

}  // namespace

Result<int> perform(Session& session, const VerifyOptions& options) {
  PLZ_ASSIGN(const Execution earlier, session.execution(options.execution));
  if (earlier.state != ExecutionState::finished)
    return fail(ErrorCode::conflict, fmt::format("the execution {} has not finished", earlier.id.to_string()),
                "wait for its end: plz logs " + earlier.id.to_string());
  if (!earlier.outcome || earlier.outcome->kind == OutcomeKind::could_not_start ||
      earlier.outcome->kind == OutcomeKind::lost)
    return fail(ErrorCode::invalid,
                fmt::format("the execution {} has no result to compare with: {}", earlier.id.to_string(),
                            earlier.outcome ? outcome_sentence(*earlier.outcome) : "nobody knows how it ended"),
                "verify one that ran to an end");
  Interrupt interrupt;
  auto repeated = run_again(session, interrupt, earlier);
  if (!repeated && interrupt.raised()) return interrupt.exit_status();
  if (!repeated) return fail(std::move(repeated).error());
  auto verdict = compare(session, interrupt, earlier, *repeated);
  if (!verdict && interrupt.raised()) return interrupt.exit_status();
  if (!verdict) return fail(std::move(verdict).error());
  if (auto written = session.out().write(options.json ? as_json(*verdict) : as_text(*verdict)); !written) {
    const std::string first = earlier.id.to_string(), second = repeated->id.to_string();
    written.error().hint = fmt::format("both have ended; to compare them: plz diff {} {}", first, second);
    return fail(std::move(written).error());
  }
  return verdict->results.empty() ? 0 : 1;
}

}  // namespace plz
