#include "worker/steps/preparation_log.h"

#include <fcntl.h>

#include <utility>

#include "base/log.h"
#include "base/threads.h"
#include "os/file.h"

namespace plz {
namespace {

// A build that prints many lines causes a few requests, not one for each.
constexpr std::chrono::milliseconds kGathering{50};

Result<void> ship_all(LogShipper& shipper) {
  for (;;) {
    PLZ_ASSIGN(bool shipped, shipper.ship_piece());
    if (!shipped) return {};
  }
}

}  // namespace

PreparationLog::PreparationLog(std::string path, LogShipper& shipper, Connections& connections)
    : path_(std::move(path)), shipper_(shipper), connections_(connections) {}

PreparationLog::~PreparationLog() {
  if (!thread_.joinable() && !has_more_) return;
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  if (auto sent = ship_all(shipper_); !sent) log_info("{} is sent later: {}", path_, sent.error().message);
}

void PreparationLog::add(std::string_view lines) {
  if (auto written = append(lines); !written) {
    if (!std::exchange(has_complained_, true)) log_warning("{}", written.error().message);
    return;
  }
  // What is not sent meanwhile is sent at the end.
  if (!thread_.joinable())
    if (auto thread = start_jthread([this](const std::stop_token& stop) { run(stop); })) thread_ = std::move(*thread);
  std::lock_guard lock(mutex_);
  has_more_ = true;
  added_.notify_one();
}

Result<void> PreparationLog::append(std::string_view lines) {
  if (!file_) {
    PLZ_ASSIGN(file_, open_file(path_, O_WRONLY | O_CREAT | O_APPEND, 0600));
  }
  PLZ_TRY(write_all(file_.get(), lines));
  return lines.ends_with('\n') ? Result<void>() : write_all(file_.get(), "\n");
}

void PreparationLog::run(const std::stop_token& stop) {
  Backoff backoff = connections_.backoff();
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      added_.wait(lock, stop, [this] { return has_more_; });
      has_more_ = false;
    }
    auto sent = ship_all(shipper_);
    if (sent) {
      backoff.reset();
      wait_unless_stopped(stop, kGathering);
      continue;
    }
    wait_unless_stopped(stop, backoff.next());
    std::lock_guard lock(mutex_);
    has_more_ = true;
  }
}

}  // namespace plz
