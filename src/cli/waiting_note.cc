#include "cli/waiting_note.h"

#include <cctype>
#include <condition_variable>
#include <mutex>

#include "base/threads.h"
#include "client/api_client.h"

namespace plz {
namespace {

constexpr std::chrono::seconds kFirstLook{2};
constexpr std::chrono::seconds kLooks{5};

// False when asked to stop meanwhile.
bool sleep_for(std::chrono::seconds time, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [&] { return stop.stop_requested(); });
  return !stop.stop_requested();
}

// A disk's bytes come and go, and are no news.
std::string without_digits(std::string text) {
  std::erase_if(text, [](unsigned char c) { return isdigit(c) || c == '.'; });
  return text;
}

void watch(Endpoint endpoint, ExecutionId id, Messages& messages, std::stop_token stop) {
  std::string told;
  for (auto pause = kFirstLook; sleep_for(pause, stop); pause = kLooks) {
    ApiClient api(endpoint);
    std::stop_callback cancel(stop, [&] { api.cancel(); });
    auto execution = api.execution(id);
    if (execution && execution->state == ExecutionState::finished) return;
    if (!execution || execution->waiting_for.empty() || execution->waiting_for == kWaitsForEnvironment) continue;
    if (without_digits(execution->waiting_for) == told) continue;
    told = without_digits(execution->waiting_for);
    if (execution->waiting_for.starts_with(kWaitsForRoom)) messages.warning("Waiting for " + execution->waiting_for);
    else messages.info("Waiting for " + execution->waiting_for);
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
