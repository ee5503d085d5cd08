// What is printed while the environment of a job is made ready.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "os/fd.h"
#include "worker/connections.h"
#include "worker/steps/log_shipper.h"

namespace plz {

// Lines go to a file first, and from there to the controller, on a thread of its own that begins with
// the first of them: what they tell of never waits for the controller. One thread adds.
class PreparationLog {
 public:
  // `shipper` carries the file at `path`; nobody else uses it meanwhile.
  PreparationLog(std::string path, LogShipper& shipper, Connections& connections);
  // Sends what is left if the controller takes it at once. What it does not stays in the file.
  ~PreparationLog();

  // A line, or several whole ones; the last may lack its line break. Those that cannot be written (the disk is full)
  // are dropped.
  void add(std::string_view lines);

 private:
  void run(const std::stop_token& stop);
  Result<void> append(std::string_view lines);

  const std::string path_;
  LogShipper& shipper_;
  Connections& connections_;
  UniqueFd file_;
  bool has_complained_ = false;
  std::mutex mutex_;
  std::condition_variable_any added_;
  bool has_more_ = false;  // guarded by mutex_
  std::jthread thread_;
};

}  // namespace plz
