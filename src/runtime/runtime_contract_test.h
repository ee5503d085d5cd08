// What every runtime of this machine must do, whatever it runs jobs with. A backend's test names its
// factory and instantiates the suite.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "runtime/runtime.h"

namespace plz {

struct RuntimeKind {
  std::string name;
  // Called again for every "worker": state must lie in the attempts' directories.
  std::function<std::unique_ptr<Runtime>(const std::string& directory)> make;
  bool boxed = false;   // the job has its own root, pid namespace and private paths
};

class RuntimeContract : public testing::TestWithParam<RuntimeKind> {
 protected:
  void SetUp() override;
  void TearDown() override;

  // A specification with directories made, code "hello" in file `code.txt`, and mounts for output and
  // measures, running `sh -c script`.
  LaunchSpec spec_for(const std::string& script);
  // start, wait, the log read.
  struct Ended {
    ExitReport report;
    std::string log;
  };
  Ended run(const LaunchSpec& spec);
  Ended run_script(const std::string& script) { return run(spec_for(script)); }
  Ended wait_for(const AttemptPaths& paths);
  std::string log_of(const AttemptPaths& paths);
  // Until the log holds the text; fails after some seconds.
  void await_log(const AttemptPaths& paths, const std::string& text);
  // Kills the outer half that cares for the attempt, and reaps it if it is our child.
  void kill_outer_half(const AttemptPaths& paths);
  // Runs start() in a process of its own, which is killed before this returns.
  void start_in_worker_that_dies(const LaunchSpec& spec);
  // Runs `test` in a process of its own, where directory_ is an empty file system of 16 MiB.
  void on_small_disk(const std::function<void()>& test);
  std::string job_path(const LaunchSpec& spec, std::string_view which) {
    return runtime_->job_path(spec.paths, which);
  }

  std::string directory_;
  std::unique_ptr<Runtime> runtime_;

 private:
  int attempts_ = 0;
};

std::string runtime_kind_name(const testing::TestParamInfo<RuntimeKind>& info);

}  // namespace plz
