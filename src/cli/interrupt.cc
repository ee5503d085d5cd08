#include "cli/interrupt.h"

#include <array>
#include <atomic>
#include <csignal>

#include <fcntl.h>
#include <unistd.h>

#include "base/threads.h"

namespace plz {
namespace {

// A signal handler can reach nothing else than these.
std::atomic<bool> raised_flag = false;
std::atomic<int> raised_signal = 0;
std::atomic<int> wake_fd = -1;
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};
struct sigaction previous_actions[kSignals.size()];

void handle(int signal_number) {
  const int saved = errno;
  for (size_t i = 0; i < kSignals.size(); ++i)
    if (previous_actions[i].sa_handler != SIG_IGN) signal(kSignals[i], SIG_DFL);
  raised_signal = signal_number;
  raised_flag = true;
  const char byte = 1;
  [[maybe_unused]] auto written = write(wake_fd, &byte, 1);
  errno = saved;
}

void install() {
  for (size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], nullptr, &previous_actions[i]);
    // nohup and background jobs of a plain shell ignore some: so do we.
    if (previous_actions[i].sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    action.sa_handler = handle;
    action.sa_flags = SA_RESTART;
    sigaction(kSignals[i], &action, nullptr);
  }
}

void restore() {
  for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &previous_actions[i], nullptr);
}

}  // namespace

Interrupt::Interrupt() {
  raised_flag = false;
  raised_signal = 0;
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return;  // then the signals keep their usual meaning
  reader_.reset(fds[0]);
  writer_.reset(fds[1]);
  // Without one, too, the signals keep their usual meaning.
  auto watcher = start_jthread([this](const std::stop_token&) { watch(); });
  if (!watcher) return;
  watcher_ = std::move(*watcher);
  wake_fd = writer_.get();
  install();
}

Interrupt::~Interrupt() {
  if (!watcher_.joinable()) return;
  restore();
  wake_fd = -1;
  writer_.reset();
  watcher_.join();
}

bool Interrupt::raised() const { return raised_flag; }

const std::atomic<bool>* Interrupt::flag() const { return &raised_flag; }

int Interrupt::exit_status() const { return 128 + raised_signal; }

void Interrupt::watch() {
  char byte;
  ssize_t got;
  while ((got = read(reader_.get(), &byte, 1)) < 0 && errno == EINTR) {
  }
  if (got <= 0) return;
  std::lock_guard lock(mutex_);
  announced_ = true;
  for (auto& [key, wake] : wakes_) wake();
  raised_.notify_all();
}

Interrupt::Subscription Interrupt::on_raise(std::function<void()> wake) {
  std::lock_guard lock(mutex_);
  if (announced_) wake();
  wakes_.emplace(next_key_, std::move(wake));
  return Subscription(*this, next_key_++);
}

Interrupt::Subscription::~Subscription() {
  if (!interrupt_) return;
  std::lock_guard lock(interrupt_->mutex_);
  interrupt_->wakes_.erase(key_);
}

bool Interrupt::wait_for(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return raised_.wait_for(lock, time, [this] { return announced_; });
}

}  // namespace plz
