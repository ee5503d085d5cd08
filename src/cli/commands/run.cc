#include <fmt/core.h>

#include "base/text.h"
#include "base/threads.h"
#include "cli/attendance.h"
#include "cli/commands/commands.h"
#include "cli/commands/run_steps.h"
#include "cli/interrupt.h"
#include "cli/output_place.h"
#include "cli/output_retrieval.h"
#include "cli/preparation.h"
#include "cli/submission.h"
#include "os/file.h"
#include "wire/json_text.h"

namespace plz {
namespace {

std::string json_array(const std::vector<std::string>& texts) {
  std::string json = "[";
  for (const auto& text : texts) json += (json.size() > 1 ? ", " : "") + quote_json(text);
  return json + "]";
}

}  // namespace

std::vector<ConfigurationOverride> configuration_overrides(const RunOptions& options) {
  std::vector<ConfigurationOverride> overrides;
  if (options.parameters_path) overrides.push_back({"parameters", *options.parameters_path, "--parameters"});
  if (options.follow_links) overrides.push_back({"follow_links", "true", "--follow-links"});
  if (options.wait_anyway) overrides.push_back({"wait_anyway", "true", "--wait-anyway"});
  if (!options.runtime.empty()) overrides.push_back({"runtime", options.runtime, "--runtime"});
  if (!options.outputs.empty()) overrides.push_back({"outputs", json_array(options.outputs), "--outputs"});
  if (options.command) overrides.push_back({"command", json_array({"sh", "-c", *options.command}), "--command"});
  if (!options.arguments.empty())
    overrides.push_back({"command", json_array(options.arguments), "the command after --"});
  return overrides;
}

Result<void> check_output_pattern(const std::string& pattern) {
  if (pattern.find("%e") != std::string::npos) return {};
  return refuse_occupied(pattern);
}

int nothing_submitted(Session& session, const Interrupt& interrupt) {
  session.messages().plain("");
  session.messages().info("Interrupted: nothing was submitted");
  return interrupt.exit_status();
}

Result<int> submit_and_attend(Session& session, Interrupt& interrupt, Prepared prepared, const std::string& pattern,
                              bool detach) {
  session.messages().info("Sending request to start execution");
  const bool composite = prepared.submission.spec.is_composite();
  PLZ_ASSIGN(const ExecutionId id, submit(session, interrupt, prepared.submission));
  // What was held is the execution's now. Nobody needs to wait for the store to hear of that.
  const auto letting_go = start_jthread([&blobs = prepared.blobs](const std::stop_token&) { blobs.reset(); });
  session.messages().info("Execution ID is: " + id.to_string());
  if (detach || composite) {
    auto written = session.out().write(id.to_string() + "\n");
    if (!written && written.error().hint.empty())
      written.error().hint = fmt::format("the execution {} was submitted and goes on; to see it: plz logs {}",
                                         id.to_string(), id.to_string());
    return written.map([] { return 0; });
  }
  return attend(session, interrupt, id, prepared.submission.spec.snapshot.environment, pattern);
}

Result<int> perform(Session& session, const RunOptions& options) {
  if (options.command && !options.arguments.empty())
    return fail(ErrorCode::invalid, "--command and a command after -- exclude each other", "give one of them");
  for (const auto& warning : session.configuration().warnings) session.messages().warning(warning);
  const std::string pattern = output_pattern(options.output_directory, session.working_directory());
  PLZ_TRY(check_output_pattern(pattern));
  Interrupt interrupt;
  auto prepared = prepare_run(session, interrupt, pattern);
  if (!prepared && interrupt.raised()) return nothing_submitted(session, interrupt);
  if (!prepared) return fail(std::move(prepared).error());
  // Arguments need not be UTF-8; the configuration, which is JSON, has them only as text.
  if (!options.arguments.empty()) prepared->submission.spec.command = options.arguments;
  if (options.command) prepared->submission.spec.command = {"sh", "-c", *options.command};
  return submit_and_attend(session, interrupt, std::move(*prepared), pattern, options.detach);
}

}  // namespace plz
