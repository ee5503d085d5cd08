#include "net/handler_pool.h"

#include <signal.h>

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
  if (error != 0) return fail(errno_error(error, "cannot start a thread"));
  argument.release();
  pthread_setname_np(thread, name);
  return thread;
}

HandlerPool::~HandlerPool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
  for (pthread_t thread : threads_) pthread_join(thread, nullptr);
}

Result<void> HandlerPool::submit(std::function<void()> job) {
  std::lock_guard lock(mutex_);
  bool is_short = jobs_.size() >= idle_ && threads_.size() < limit_;
  if (is_short) {
    auto thread = start_thread("plz-handler", [this] { work(); });
    if (!thread && threads_.empty()) return fail(std::move(thread).error());
    if (thread) threads_.push_back(*thread);
  }
  jobs_.push_back(std::move(job));
  ready_.notify_one();
  return {};
}

size_t HandlerPool::threads() const {
  std::lock_guard lock(mutex_);
  return threads_.size();
}

void HandlerPool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    ready_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
    --idle_;
    if (jobs_.empty()) return;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

}  // namespace plz
