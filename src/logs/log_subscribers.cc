#include "logs/log_subscribers.h"

namespace plz {

struct LogSubscribers::Subscription {
  // Recursive, so that a wake can end its own subscription.
  std::recursive_mutex mutex;
  std::function<void()> wake;  // empty once it has ended
};

LogSubscribers::LogSubscribers() : registry_(std::make_shared<Registry>()) {}

std::shared_ptr<void> LogSubscribers::subscribe(const Uuid& log, std::function<void()> wake) {
  auto subscription = std::make_shared<Subscription>();
  subscription->wake = std::move(wake);
  std::lock_guard lock(registry_->mutex);
  auto it = registry_->subscriptions.emplace(log, subscription);
  auto end = [registry = registry_, it, subscription](void*) {
    {
      std::lock_guard lock(registry->mutex);
      registry->subscriptions.erase(it);
    }
    std::lock_guard lock(subscription->mutex);
    subscription->wake = nullptr;
  };
  return {subscription.get(), end};
}

void LogSubscribers::wake(const Uuid& log) {
  std::vector<std::shared_ptr<Subscription>> found;
  {
    std::lock_guard lock(registry_->mutex);
    auto [from, to] = registry_->subscriptions.equal_range(log);
    for (; from != to; ++from)
      if (auto subscription = from->second.lock()) found.push_back(std::move(subscription));
  }
  for (const auto& subscription : found) {
    std::lock_guard lock(subscription->mutex);
    // A copy: the wake may end its subscription, and with it the function that runs.
    if (auto wake = subscription->wake) wake();
  }
}

}  // namespace plz
