// Work that several want at once and that is to be done once.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "base/result.h"

namespace plz {

// Thread-safe.
template <typename T>
class SingleFlight {
 public:
  // The first that comes with a key does the work, in its own thread; those that come meanwhile call `waiting` once and
  // have its result, also a failure. Where the work was cancelled, the next of them does it anew. cancelled: `stop`
  // asked one that waits.
  Result<T> run(const std::string& key, const std::stop_token& stop, const std::function<void()>& waiting,
                const std::function<Result<T>()>& work) {
    for (bool told = false;; told = true) {
      auto [flight, is_first] = join(key);
      if (is_first) return lead(key, *flight, work);
      if (!told) waiting();
      std::unique_lock lock(mutex_);
      if (!landed_.wait(lock, stop, [flight = flight] { return flight->result.has_value(); }))
        return fail(ErrorCode::cancelled, "no longer waiting");
      if (*flight->result || flight->result->error().code != ErrorCode::cancelled) return *flight->result;
    }
  }

 private:
  // Shared by those who wait for it; the leader takes it out of the map.
  struct Flight {
    std::optional<Result<T>> result;
  };

  std::pair<std::shared_ptr<Flight>, bool> join(const std::string& key) {
    std::lock_guard lock(mutex_);
    auto& flight = flights_[key];
    bool is_first = !flight;
    if (is_first) flight = std::make_shared<Flight>();
    return {flight, is_first};
  }

  Result<T> lead(const std::string& key, Flight& flight, const std::function<Result<T>()>& work) {
    Result<T> result = work();
    std::lock_guard lock(mutex_);
    flight.result = result;
    flights_.erase(key);
    landed_.notify_all();
    return result;
  }

  std::mutex mutex_;
  std::condition_variable_any landed_;
  std::map<std::string, std::shared_ptr<Flight>> flights_;
};

}  // namespace plz
