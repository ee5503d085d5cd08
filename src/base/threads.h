// Threads that the system may not have: `ulimit -u` and `ulimit -v` limit them.
#pragma once

#include <functional>
#include <stop_token>
#include <thread>

#include "base/result.h"

namespace plz {

// std::jthread's constructor throws where there is none to be had. unavailable: says what lacks and what to do.
Result<std::jthread> start_jthread(std::function<void(std::stop_token)> work);

// Calls `work` at once on so many threads, this one among them, or on as many as can be had; waits for all.
void run_on_threads(size_t threads, const std::function<void()>& work);

}  // namespace plz
