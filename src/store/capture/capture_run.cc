#include "store/capture/capture_run.h"

#include <algorithm>
#include <thread>

#include <fmt/core.h>

#include "base/text.h"
#include "os/fd.h"

namespace plz {
namespace {

constexpr size_t kMostThreads = 8;
constexpr size_t kMostWarnings = 100;
constexpr std::chrono::milliseconds kReportInterval{100};

size_t thread_count(int wanted) {
  if (wanted > 0) return static_cast<size_t>(wanted);
  return std::clamp<size_t>(std::thread::hardware_concurrency(), 1, kMostThreads);
}

}  // namespace

CaptureRun::CaptureRun(const CaptureOptions& options) : options_(options), threads_(thread_count(options.threads)) {}

void CaptureRun::fail_with(Error error) {
  std::lock_guard lock(mutex_);
  if (!error_) error_ = std::move(error);
  failed_ = true;
}

bool CaptureRun::stopped() {
  if (failed_.load(std::memory_order_relaxed)) return true;
  if (!options_.cancelled || !*options_.cancelled) return false;
  fail_with({ErrorCode::cancelled, "the capture was cancelled", {}});
  return true;
}

Result<void> CaptureRun::outcome() {
  std::lock_guard lock(mutex_);
  if (error_) return fail(*error_);
  return {};
}

void CaptureRun::warn(std::string sentence) {
  std::lock_guard lock(mutex_);
  if (warnings_.size() < kMostWarnings) warnings_.push_back(std::move(sentence));
  else ++warnings_dropped_;
}

void CaptureRun::warn_of_links(std::string sentence) {
  std::lock_guard lock(mutex_);
  link_warnings_.push_back(std::move(sentence));
}

std::vector<std::string> CaptureRun::take_link_warnings() {
  std::lock_guard lock(mutex_);
  return std::move(link_warnings_);
}

std::vector<std::string> CaptureRun::take_warnings() {
  std::lock_guard lock(mutex_);
  std::sort(warnings_.begin(), warnings_.end());
  if (warnings_dropped_ > 0) warnings_.push_back(fmt::format("And {} more warnings.", warnings_dropped_));
  return std::move(warnings_);
}

void CaptureRun::report_progress() {
  if (!options_.progress) return;
  auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  auto due = next_report_.load();
  auto next = now + std::chrono::steady_clock::duration(kReportInterval).count();
  if (now < due || !next_report_.compare_exchange_strong(due, next)) return;
  options_.progress(progress());
}

void CaptureRun::report_end() {
  if (options_.progress) options_.progress(progress());
}

Error unreadable_error(int error_number, const std::string& path) {
  Error error = errno_error(error_number, "cannot read " + printable(path));
  if (error_number == EACCES || error_number == EPERM)
    error.hint = "make it readable for this user, or leave it out with excluded_paths";
  return error;
}

}  // namespace plz
