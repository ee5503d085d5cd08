// "Something about this has changed, look again." No data travels: whoever is told reads the truth.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/uuid.h"

namespace plz {

// Thread-safe. Callbacks run on the notifying thread, without a lock held; one may come once more
// right after its subscription ended. They must be short and must not block.
class Notifier {
 public:
  using Callback = std::function<void()>;
  // Until the returned token is destroyed. `key` is an execution's or an instance's id.
  std::shared_ptr<void> subscribe(const Uuid& key, Callback callback);
  void notify(const Uuid& key);

 private:
  void drop(const Uuid& key, const Callback* callback);

  std::mutex mutex_;
  std::unordered_map<Uuid, std::vector<std::shared_ptr<Callback>>> subscribers_;
};

}  // namespace plz
