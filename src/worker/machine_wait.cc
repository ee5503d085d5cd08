#include "worker/machine_wait.h"

#include <fmt/core.h>

#include "base/log.h"

namespace plz {
namespace {

// Also on a machine that stands still for as long as its patience is.
constexpr int kFewestTries = 3;

}  // namespace

bool MachineWait::may_try_again(const Error& error, const std::stop_token& stop) {
  if (error.code != ErrorCode::unavailable) return false;
  if (tries_++ == 0) since_ = clock_.steady();
  if (tries_ >= kFewestTries && clock_.steady() - since_ >= patience_) return false;
  tell(error);
  return wait_unless_stopped(stop, backoff_.next());
}

void MachineWait::tell(const Error& error) {
  std::string words = "its machine: " + error.message;
  if (!error.hint.empty()) words += " (" + error.hint + ")";
  words += fmt::format("; it is tried again for up to {:g} minutes",
                       std::chrono::duration<double, std::ratio<60>>(patience_).count());
  if (words == told_) return;
  log_warning("attempt {}: {}; trying again", id_.to_string(), error.message);
  auto taken = connections_.call([&](WorkerApi& api) { return api.waiting(id_, words); });
  if (taken) told_ = std::move(words);
}

}  // namespace plz
