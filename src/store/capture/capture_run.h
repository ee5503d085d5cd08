// What the steps of one capture share: options, progress, warnings, and the first error. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/capture.h"

namespace plz {

class CaptureRun {
 public:
  explicit CaptureRun(const CaptureOptions& options);

  const CaptureOptions& options() const { return options_; }
  size_t threads() const { return threads_; }

  // The first error wins; every step ends soon after.
  void fail_with(Error error);
  // A step failed, or the caller asked for the end.
  bool stopped();
  Result<void> outcome();  // the first error, if any

  void warn(std::string sentence);
  void warn_of_links(std::string sentence);
  std::vector<std::string> take_warnings();
  std::vector<std::string> take_link_warnings();

  void count_files(uint64_t files) {
    files_seen_ += files;
    report_progress();
  }
  void count_hashed(uint64_t bytes) {
    bytes_hashed_ += bytes;
    report_progress();
  }
  void count_sent(uint64_t bytes) {
    bytes_sent_ += bytes;
    report_progress();
  }
  // The last report, whenever the one before was.
  void report_end();
  void expect_hashing(uint64_t bytes) { bytes_to_hash_ += bytes; }
  uint64_t bytes_sent() const { return bytes_sent_; }
  void count_content_sent(uint64_t bytes) { content_bytes_sent_ += bytes; }
  uint64_t content_bytes_sent() const { return content_bytes_sent_; }

 private:
  void report_progress();
  CaptureProgress progress() const { return {files_seen_, bytes_hashed_, bytes_sent_, bytes_to_hash_}; }

  const CaptureOptions& options_;
  size_t threads_;
  std::atomic<bool> failed_ = false;
  std::atomic<uint64_t> files_seen_ = 0, bytes_hashed_ = 0, bytes_sent_ = 0, bytes_to_hash_ = 0;
  std::atomic<uint64_t> content_bytes_sent_ = 0;
  std::atomic<std::chrono::steady_clock::rep> next_report_ = 0;

  std::mutex mutex_;
  std::optional<Error> error_;              // by mutex_
  std::vector<std::string> warnings_;       // by mutex_
  std::vector<std::string> link_warnings_;  // by mutex_
  uint64_t warnings_dropped_ = 0;           // by mutex_
};

// For a file or directory that may not be read.
Error unreadable_error(int error_number, const std::string& path);

}  // namespace plz
