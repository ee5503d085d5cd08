// Who wants to be woken when a log grows.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/uuid.h"

namespace plz {

// Thread-safe. Tokens may outlive it.
class LogSubscribers {
 public:
  LogSubscribers();
  // `wake` is not called any more, nor still running in another thread, when the token's destructor
  // has returned. It may destroy its own token; it must not wait for a lock that is held by whoever
  // destroys it.
  std::shared_ptr<void> subscribe(const Uuid& log, std::function<void()> wake);
  void wake(const Uuid& log);

 private:
  struct Subscription;
  struct Registry {
    std::mutex mutex;
    std::multimap<Uuid, std::weak_ptr<Subscription>> subscriptions;
  };
  std::shared_ptr<Registry> registry_;  // shared with the tokens
};

}  // namespace plz
