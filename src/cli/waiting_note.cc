#include "cli/waiting_note.h"

#include <condition_variable>
#include <mutex>

#include "base/threads.h"
#include "client/api_client.h"

namespace plz {
namespace {

constexpr std::chrono::seconds kFirstLook{2};
constexpr std::chrono::seconds kLooks{10};

// False when asked to stop meanwhile.
bool sleep_for(std::chrono::seconds time, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [&] { return stop.stop_requested(); });
  return !stop.stop_requested();
}

void watch(Endpoint endpoint, ExecutionId id, Messages& messages, std::stop_token stop) {
  std::string told;
  for (auto pause = kFirstLook; sleep_for(pause, stop); pause = kLooks) {
    ApiClient api(endpoint);
    std::stop_callback cancel(stop, [&] { api.cancel(); });
    auto execution = api.execution(id);
    if (!execution) return;
    if (execution->state != ExecutionState::queued && execution->state != ExecutionState::starting) return;
    if (execution->waiting_for.empty() || execution->waiting_for == told) continue;
    if (execution->waiting_for == kWaitsForEnvironment) continue;
    told = execution->waiting_for;
    messages.info("Waiting for " + told);
  }
}

}  // namespace

WaitingNote::WaitingNote(Endpoint endpoint, ExecutionId id, Messages& messages) {
  // Without a thread nothing is told, as where the controller does not answer.
  auto thread = start_jthread([endpoint = std::move(endpoint), id, &messages](const std::stop_token& stop) {
    watch(endpoint, id, messages, stop);
  });
  if (thread) thread_ = std::move(*thread);
}

}  // namespace plz
