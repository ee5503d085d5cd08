#include "controller/notifier.h"

#include <algorithm>

namespace plz {

std::shared_ptr<void> Notifier::subscribe(const Uuid& key, Callback callback) {
  auto shared = std::make_shared<Callback>(std::move(callback));
  {
    std::lock_guard lock(mutex_);
    subscribers_[key].push_back(shared);
  }
  return std::shared_ptr<void>(shared.get(), [this, key](void* p) { drop(key, static_cast<Callback*>(p)); });
}

void Notifier::drop(const Uuid& key, const Callback* callback) {
  std::shared_ptr<Callback> last;  // destroyed after the lock is dropped
  std::lock_guard lock(mutex_);
  auto found = subscribers_.find(key);
  if (found == subscribers_.end()) return;
  auto& list = found->second;
  auto it = std::find_if(list.begin(), list.end(), [&](const auto& p) { return p.get() == callback; });
  if (it == list.end()) return;
  last = std::move(*it);
  list.erase(it);
  if (list.empty()) subscribers_.erase(found);
}

void Notifier::notify(const Uuid& key) {
  std::vector<std::shared_ptr<Callback>> callbacks;
  {
    std::lock_guard lock(mutex_);
    auto found = subscribers_.find(key);
    if (found == subscribers_.end()) return;
    callbacks = found->second;
  }
  for (const auto& callback : callbacks) (*callback)();
}

}  // namespace plz
