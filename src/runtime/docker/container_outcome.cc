#include "runtime/docker/container_outcome.h"

#include <algorithm>

#include <fmt/core.h>
#include <signal.h>

namespace plz {
namespace {

Outcome lost(std::string reason) { return {OutcomeKind::lost, {}, {}, false, std::move(reason)}; }

constexpr char kRemoved[] = "its container was removed while it ran";

bool is_from_a_signal(int exit_code) {
  constexpr int kSignals[] = {SIGABRT, SIGSEGV, SIGKILL, SIGTERM};
  return std::any_of(std::begin(kSignals), std::end(kSignals), [&](int signal) { return exit_code == 128 + signal; });
}

Outcome signalled(int exit_code, std::string reason) {
  return {OutcomeKind::signalled, exit_code, exit_code - 128, false, std::move(reason)};
}

}  // namespace

Outcome outcome_without_record(const std::optional<ContainerState>& container, bool plz_init_began) {
  if (!container) return lost(kRemoved);
  Outcome outcome;
  if (!plz_init_began) {
    outcome.kind = OutcomeKind::could_not_start;
    outcome.reason = container->error.empty()
                         ? fmt::format("its container ended with status {} before plz-init ran", container->exit_code)
                         : container->error;
  } else if (container->exit_code == 128 + SIGKILL) {
    outcome = signalled(container->exit_code, "its container was killed from outside");
  } else {
    outcome = lost(fmt::format("its container ended with status {}, and left no record", container->exit_code));
  }
  outcome.out_of_memory = container->out_of_memory;
  return outcome;
}

Outcome outcome_by_engine(const std::optional<ContainerState>& container) {
  if (!container) return lost(kRemoved);
  int code = container->exit_code;
  Outcome outcome{code == 0 ? OutcomeKind::succeeded : OutcomeKind::exited, code, {}, false, container->error};
  if (is_from_a_signal(code)) outcome = signalled(code, "");
  if (!container->error.empty()) outcome.kind = OutcomeKind::could_not_start;
  outcome.out_of_memory = container->out_of_memory;
  return outcome;
}

std::optional<Outcome> outcome_of_refusal(const Error& error) {
  auto says = [&](const char* words) { return error.message.find(words) != std::string::npos; };
  if (says("executable file not found") || says("no such file or directory"))
    return Outcome{OutcomeKind::could_not_start, 127, {}, false, error.message};
  if (says("permission denied") || says("is a directory") || says("exec format error"))
    return Outcome{OutcomeKind::could_not_start, 126, {}, false, error.message};
  return std::nullopt;
}

}  // namespace plz
