#include "net/handler_pool.h"

#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <memory>

#include "os/fd.h"

namespace plz {
namespace {

#ifdef PLZ_SANITIZED
constexpr size_t kStackBytes = 4u << 20;
#else
constexpr size_t kStackBytes = 512u << 10;
#endif

void* run_thread(void* argument) {
  std::unique_ptr<std::function<void()>> run(static_cast<std::function<void()>*>(argument));
  (*run)();
  return nullptr;
}

}  // namespace

Result<pthread_t> start_thread(const char* name, std::function<void()> run) {
  auto argument = std::make_unique<std::function<void()>>(std::move(run));
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  int error = pthread_create(&thread, &attributes, run_thread, argument.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (error != 0)
    return fail(ErrorCode::unavailable, errno_error(error, "cannot start a thread").message,
                "`ulimit -u` and `ulimit -v` say how many threads and how much memory are allowed here");
  argument.release();
  pthread_setname_np(thread, name);
  return thread;
}

HandlerPool::~HandlerPool() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  ready_.notify_all();
  // One that runs may have another started.
  while (!threads_.empty() || !ended_.empty()) {
    one_ended_.wait(lock, [&] { return !ended_.empty(); });
    join_ended(lock);
  }
}

Result<void> HandlerPool::submit(std::function<void()> job) {
  std::unique_lock lock(mutex_);
  join_ended(lock);
  queue_.push_back({std::move(job), nullptr});
  schedule();
  if (queue_.empty() || running_ > 0 || waiting_ > 0) return {};
  queue_.pop_back();
  return fail(ErrorCode::unavailable, "no thread can be started for the request", "try again later");
}

// Under the mutex, as all that follow: lets those run whose turn it is.
void HandlerPool::schedule() {
  while (running_ < most_running_ && !queue_.empty()) {
    auto next = queue_.begin();
    if (!let_run(*next)) {
      // Where no thread is to be had, one that has its own already goes first: it takes the others' jobs afterwards.
      next = std::find_if(queue_.begin(), queue_.end(), [](const Entry& entry) { return entry.wait != nullptr; });
      if (next == queue_.end()) {
        if (running_ == 0 && !waits_.empty()) end_longest();
        return;
      }
      let_run(*next);
    }
    ++running_;
    queue_.erase(next);
  }
  if (stopping_ && queue_.empty()) ready_.notify_all();
}

bool HandlerPool::let_run(Entry& entry) {
  if (!entry.wait) return give_to_thread(entry.job);
  entry.wait->runs = true;
  --waiting_;
  entry.wait->may_run.notify_one();
  return true;
}

bool HandlerPool::give_to_thread(std::function<void()>& job) {
  if (given_.size() >= idle_) {
    auto thread = start_thread("plz-handler", [this] { work(); });
    if (!thread) return false;
    threads_.push_back(*thread);
    // It counts as idle until it looks for work, so that none is started in its place.
    ++idle_;
  }
  given_.push_back(std::move(job));
  ready_.notify_one();
  return true;
}

void HandlerPool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ready_.wait(lock, [&] { return !given_.empty() || (stopping_ && queue_.empty()); });
    --idle_;
    if (given_.empty()) break;
    auto job = std::move(given_.front());
    given_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
    --running_;
    ++idle_;
    schedule();
    // After many waits there are more threads than can run.
    if (given_.size() + most_running_ >= idle_) continue;
    --idle_;
    break;
  }
  const pthread_t self = pthread_self();
  threads_.remove_if([&](pthread_t thread) { return pthread_equal(thread, self) != 0; });
  ended_.push_back(self);
  one_ended_.notify_all();
}

void HandlerPool::join_ended(std::unique_lock<std::mutex>& lock) {
  if (ended_.empty()) return;
  std::vector<pthread_t> ended = std::exchange(ended_, {});
  lock.unlock();
  for (pthread_t thread : ended) pthread_join(thread, nullptr);
  lock.lock();
}

bool HandlerPool::end_longest_wait(std::chrono::milliseconds at_least) {
  std::lock_guard lock(mutex_);
  if (waits_.empty() || waits_.front()->since + at_least > std::chrono::steady_clock::now()) return false;
  end_longest();
  return true;
}

void HandlerPool::end_longest() {
  Wait& longest = *waits_.front();
  longest.is_told_to_end = true;
  longest.wake.wake();
  waits_.pop_front();
}

void HandlerPool::begin_wait(Wait& wait) {
  std::lock_guard lock(mutex_);
  wait.place = waits_.insert(waits_.end(), &wait);
  ++waiting_;
  --running_;
  if (waiting_ > most_waiting_) end_longest();
  schedule();
}

void HandlerPool::finish_wait(Wait& wait) {
  std::unique_lock lock(mutex_);
  if (!wait.is_told_to_end) waits_.erase(wait.place);
  if (running_ < most_running_ && queue_.empty()) {
    ++running_;
    --waiting_;
    return;
  }
  queue_.push_back({nullptr, &wait});
  schedule();
  wait.may_run.wait(lock, [&] { return wait.runs; });
}

size_t HandlerPool::threads() const {
  std::lock_guard lock(mutex_);
  return threads_.size();
}

size_t HandlerPool::waiting() const {
  std::lock_guard lock(mutex_);
  return waiting_;
}

Result<bool> PeerWait::wait(int fd, short events, std::chrono::milliseconds at_most) {
  if (!wake_) {
    auto made = Wake::make();
    if (!made) return fail(ErrorCode::unavailable, made.error().message, "try again later");
    wake_ = std::move(*made);
  }
  HandlerPool::Wait wait(*wake_);
  pool_.begin_wait(wait);
  pollfd entries[] = {{fd, events, 0}, {wake_->fd(), POLLIN, 0}};
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  int ready;
  do {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    ready = poll(entries, 2, static_cast<int>(std::clamp<int64_t>(left, 0, INT32_MAX)));
  } while (ready < 0 && errno == EINTR);
  pool_.finish_wait(wait);
  if (!wait.is_told_to_end) return ready > 0;
  return fail(ErrorCode::unavailable, "the request's body was slow to come, and others need its place",
              "send it again later");
}

}  // namespace plz
