#include <algorithm>

#include <fmt/core.h>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/controller_start.h"
#include "wire/instance_json.h"
#include "wire/json_text.h"

namespace plz {
namespace {

using Action = ControllerCommandOptions::Action;

// What there is to say of the controller of a data directory.
struct ControllerState {
  std::optional<Ping> ping;  // of one that runs
  std::string socket;
  std::vector<Execution> running, waiting;
};

Result<std::vector<Execution>> unfinished_of(ApiClient& api) {
  ListRequest request;
  request.unfinished = true;
  std::vector<Execution> all;
  do {
    PLZ_ASSIGN(ExecutionPage page, api.list(request));
    all.insert(all.end(), std::make_move_iterator(page.executions.begin()),
               std::make_move_iterator(page.executions.end()));
    request.cursor = page.cursor;
  } while (request.cursor);
  return all;
}

// Not by the session's connection: that starts a controller where there is none.
Result<ControllerState> state_now(Session& session, ControllerLife& life) {
  ControllerState state;
  PLZ_ASSIGN(const auto endpoint, life.running());
  if (!endpoint) return state;
  ApiClient api(*endpoint, session.client_settings());
  PLZ_ASSIGN(state.ping, api.ping(session.ping_timeout()));
  state.socket = endpoint->path;
  PLZ_ASSIGN(auto executions, unfinished_of(api));
  for (Execution& execution : executions)
    (execution.state == ExecutionState::queued ? state.waiting : state.running).push_back(std::move(execution));
  return state;
}

std::string json_of(const std::vector<Execution>& executions) {
  std::string json = "[";
  for (const Execution& execution : executions)
    json += fmt::format(
        "{}{{\"execution_id\": \"{}\", \"user\": {}, \"project\": {}, \"state\": \"{}\", \"waiting_for\": {}}}",
        json.size() > 1 ? ", " : "", execution.id.to_string(), quote_json(execution.spec.user),
        quote_json(execution.spec.project), to_string(execution.state), quote_json(execution.waiting_for));
  return json + "]";
}

// `ended`: of `stop` and `restart`.
std::string json_of(const ControllerState& state, const std::string& data_directory,
                    const std::optional<std::optional<int64_t>>& ended) {
  std::string json = fmt::format("{{\"running\": {}", state.ping.has_value());
  if (ended) json += fmt::format(", \"ended_pid\": {}", *ended ? std::to_string(**ended) : "null");
  if (state.ping)
    json +=
        fmt::format(", \"version\": {}, \"pid\": {}, \"started\": {}, \"socket\": {}", quote_json(state.ping->version),
                    state.ping->pid, state.ping->started ? quote_json(format_rfc3339(*state.ping->started)) : "null",
                    quote_json(state.socket));
  json += fmt::format(", \"data_directory\": {}, \"log\": {}", quote_json(data_directory),
                      quote_json(controller_log_path(data_directory)));
  json += fmt::format(", \"running_executions\": {}, \"waiting_executions\": {}}}", json_of(state.running),
                      json_of(state.waiting));
  return indent_json(json) + "\n";
}

std::string text_of(const std::vector<Execution>& executions, std::string_view heading) {
  std::string text = fmt::format("{}: {}\n", heading, executions.size());
  for (const Execution& execution : executions)
    text += fmt::format("  {}  {}, {}{}\n", execution.id.to_string(), printable(execution.spec.project),
                        to_string(execution.state),
                        execution.waiting_for.empty() ? "" : "; waits for " + printable(execution.waiting_for));
  return text;
}

std::string text_of(const ControllerState& state, const std::string& data_directory) {
  std::string text = fmt::format("Running: {}\n", state.ping ? "True" : "False");
  if (state.ping) {
    text += fmt::format("Version: {}\nProcess: {}\n", state.ping->version, state.ping->pid);
    if (state.ping->started) text += fmt::format("Since: {}\n", format_rfc3339(*state.ping->started));
    text += fmt::format("Socket: {}\n", printable(state.socket));
  }
  text += fmt::format("Data Directory: {}\nLog: {}\n", printable(data_directory),
                      printable(controller_log_path(data_directory)));
  if (!state.ping) return text;
  return text + text_of(state.running, "Running Executions") + text_of(state.waiting, "Waiting Executions");
}

// "1 execution goes", "2 executions go"
std::string executions_text(size_t count, std::string_view goes, std::string_view go) {
  return fmt::format("{} execution{} {}", count, count == 1 ? "" : "s", count == 1 ? goes : go);
}

void tell_end(Messages& messages, const std::optional<int64_t>& ended, const ControllerState& before,
              const std::string& data_directory, bool starts_again) {
  if (!ended) return messages.info("No controller was running for " + printable(data_directory));
  messages.info(fmt::format("The controller (process {}) has ended, and its worker", *ended));
  const std::string next = starts_again ? "the new one takes" : "the next plz command starts one, which takes";
  if (!before.running.empty())
    messages.info(fmt::format("{} on meanwhile: {} {} up", executions_text(before.running.size(), "goes", "go"), next,
                              before.running.size() == 1 ? "it" : "them"));
  if (!before.waiting.empty() && !starts_again)
    messages.info(fmt::format("{} for the next controller", executions_text(before.waiting.size(), "waits", "wait")));
}

Result<int> tell_state(Session& session, ControllerLife& life, bool json,
                       const std::optional<std::optional<int64_t>>& ended) {
  PLZ_ASSIGN(const ControllerState state, state_now(session, life));
  const std::string& directory = session.data_directory();
  PLZ_TRY(session.out().write(json ? json_of(state, directory, ended) : text_of(state, directory)));
  return state.ping || ended ? 0 : 1;
}

Result<int> end(Session& session, ControllerLife& life, const ControllerCommandOptions& options) {
  const bool again = options.action == Action::restart;
  // One that does not answer is ended all the same.
  auto before = state_now(session, life);
  PLZ_ASSIGN(const auto ended, again ? life.restart() : life.end());
  tell_end(session.messages(), ended, before.value_or(ControllerState()), session.data_directory(), again);
  if (options.json) return tell_state(session, life, true, ended);
  if (!again) return 0;
  PLZ_ASSIGN(const ControllerState now, state_now(session, life));
  if (now.ping)
    session.messages().info(fmt::format("The controller runs: version {}, process {}, at unix:{}", now.ping->version,
                                        now.ping->pid, printable(now.socket)));
  return 0;
}

}  // namespace

Result<int> perform(Session& session, const ControllerCommandOptions& options) {
  ControllerLife* life = session.controller_life();
  if (!life)
    return fail(ErrorCode::invalid,
                fmt::format("plz controller sees to the private controller of this machine, and another is configured: "
                            "host is \"{}\"",
                            printable(session.configuration().host.value_or(""))),
                "remove host from the configuration, or ask who keeps that one");
  if (options.action == Action::status) return tell_state(session, *life, options.json, std::nullopt);
  return end(session, *life, options);
}

}  // namespace plz
