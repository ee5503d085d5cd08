#include "controller/task_pool.h"

#include <system_error>

#include "base/threads.h"

namespace plz {

TaskPool::~TaskPool() { stop(); }

void TaskPool::stop() {
  std::vector<std::jthread> threads;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
  }
  ready_.notify_all();
}

void TaskPool::post(std::function<void()> task) {
  std::lock_guard lock(mutex_);
  if (stopping_) return;
  tasks_.push_back(std::move(task));
  if (idle_ < tasks_.size() && threads_.size() < limit_) {
    auto thread = start_jthread([this](const std::stop_token&) { work(); });
    if (thread) threads_.push_back(std::move(*thread));
    // The others come to it. Where there are none, whoever asked is told.
    else if (threads_.empty()) {
      tasks_.pop_back();
      throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
    }
  }
  ready_.notify_one();
}

void TaskPool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    ready_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    --idle_;
    if (tasks_.empty()) return;
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
}

}  // namespace plz
