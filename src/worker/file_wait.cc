#include "worker/file_wait.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace plz {

Result<void> WatchedSource::fetch(std::span<const Digest> digests, const Receive& receive) {
  bool receiver_failed = false;
  auto result = source_.fetch(digests, [&](size_t index, std::string_view bytes) {
    auto taken = receive(index, bytes);
    receiver_failed = receiver_failed || !taken;
    if (taken) ++received_;
    return taken;
  });
  if (!result && !receiver_failed && is_temporary(result.error().code)) controller_fails_ = true;
  return result;
}

bool FileWait::may_try_again(const Error& error, size_t received, const std::stop_token& stop) {
  const bool is_heard = tell("its files: " + error.message);
  const SteadyTime now = clock_.steady();
  if (!is_heard || !since_ || received > most_received_) since_ = now;
  most_received_ = std::max(most_received_, received);
  if (now - *since_ >= kPatienceWithFiles) return false;
  (void)wait_unless_stopped(stop, backoff_.next());
  return true;
}

void FileWait::end() {
  if (!told_.empty()) (void)tell("");
}

// Each time anew: a controller that started again has forgotten it.
bool FileWait::tell(const std::string& words) {
  if (!words.empty() && words != told_) log_warning("attempt {} waits for {}", id_.to_string(), words);
  told_ = words;
  auto told = connections_.call([&](WorkerApi& api) { return api.waiting(id_, words); });
  return told || !is_temporary(told.error().code);
}

}  // namespace plz
