#include "base/threads.h"

#include <vector>

#include "base/caught.h"

namespace plz {

Result<std::jthread> start_jthread(std::function<void(std::stop_token)> work) {
  return caught([&]() -> Result<std::jthread> { return std::jthread(std::move(work)); });
}

void run_on_threads(size_t threads, const std::function<void()>& work) {
  std::vector<std::jthread> others;
  for (size_t i = 1; i < threads; ++i) {
    auto other = start_jthread([&work](const std::stop_token&) { work(); });
    if (!other) break;
    others.push_back(std::move(*other));
  }
  work();
}

}  // namespace plz
