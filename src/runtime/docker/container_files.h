// What a container's attempt has on the host, below its directory. What the container sees lies in a
// directory of its own, run/init; its files have second names in the attempt's directory, where everybody
// else looks for them, so that a job that removes its own loses none of it.
#pragma once

#include <optional>
#include <string>

#include "os/fd.h"
#include "runtime/attempt_records.h"
#include "runtime/docker/container_plan.h"

namespace plz {

// Which container an attempt has. Written before it is made, and again once its id is known.
struct ContainerNote {
  std::string id;  // "": not made yet
  std::string name;
  std::string image;
  std::string attempt, execution;  // their ids
  LogKeeper log_keeper = LogKeeper::plz_init;
  int stop_signal = 15;
};

class ContainerFiles {
 public:
  explicit ContainerFiles(const AttemptPaths& paths) : paths_(paths) {}

  const AttemptPaths& paths() const { return paths_; }
  std::string run() const { return paths_.directory + "/run"; }
  std::string attempt() const { return run() + "/init"; }  // the container's part
  std::string code_copy() const { return run() + "/src"; }
  std::string log_pipe() const;

  // Makes them all, for whatever user the container has: the attempt's directory is closed to others. Without
  // plz-init the job's copy of the code, too.
  Result<void> make(const InitSpec& init);
  Result<void> make_for_engine_log(const std::string& code_tree);
  // Asks plz-init to stop the job; it need not run yet, or any more.
  Result<void> ask_to_stop(std::chrono::milliseconds grace);
  bool was_asked_to_stop() const;

  Result<void> write_note(const ContainerNote& note);
  Result<std::optional<ContainerNote>> read_note() const;

  // Its reading end; while it is open, what was written to it is not lost. Absent: an error.
  Result<UniqueFd> open_log_pipe() const;
  // Whether plz-init, or a process of the job, has it open.
  static bool has_writer(int pipe);
  // Whether plz-init began at all.
  bool has_begun() const;
  // Moves what is left in the pipe to the log.
  Result<void> drain(int pipe);
  // For an attempt whose plz-init cannot say it: how it ended.
  Result<void> write_end(const Outcome& outcome);

 private:
  Result<void> make_open_directory(const std::string& path);
  Result<void> make_shared_file(const char* name, bool is_pipe);
  Result<void> write_shared_file(const char* name, const std::string& content);
  Result<void> open_job_directories();

  AttemptPaths paths_;
};

}  // namespace plz
