// What every runtime of this machine must do, whatever it runs jobs with. A backend's test names its
// factory and instantiates the suite.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/runtime.h"

namespace plz {

struct RuntimeKind {
  std::string name;
  // Called again for every "worker": state must lie in the attempts' directories.
  std::function<std::unique_ptr<Runtime>(const std::string& directory)> make;
  bool boxed = false;          // the job has its own root, pid namespace and private paths
  std::string image;           // "": no container
  bool has_outer_half = true;  // the log is carried by a process of its own, which may be killed
  bool sees_mounts = true;     // what this process has mounted for itself alone
};
// What a list of the tests says of it.
inline void PrintTo(const RuntimeKind& kind, std::ostream* out) { *out << kind.name; }

// Of a script: waits there, however long the test takes to come so far.
inline constexpr const char* kAwaitGo = "while [ ! -e $OUT/go ]; do sleep 0.01; done; ";

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
  // For a script that says kAwaitGo, which knows its output directory as OUT: until let_go().
  LaunchSpec waiting_spec(const std::string& script);
  void let_go(const LaunchSpec& spec);
  // False: skips the test, which is about the death of a process that this runtime does not have.
  bool has_outer_half();
  // Kills the outer half that cares for the attempt, and reaps it if it is our child.
  void kill_outer_half(const AttemptPaths& paths);
  // Runs start() in a process of its own, which is killed before this returns.
  void start_in_worker_that_dies(const LaunchSpec& spec);
  // Runs `test` in a process of its own, where directory_ is an empty file system of 16 MiB.
  void on_small_disk(const std::function<void()>& test);
  std::string job_path(const LaunchSpec& spec, std::string_view which) { return runtime_->job_path(spec.paths, which); }

  std::string directory_;
  std::unique_ptr<Runtime> runtime_;

 private:
  int attempts_ = 0;
  std::vector<AttemptPaths> made_;
};

std::string runtime_kind_name(const testing::TestParamInfo<RuntimeKind>& info);

}  // namespace plz
