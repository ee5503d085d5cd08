// Another program that runs beside this one until its output is wanted.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/execution.h"
#include "os/fd.h"

namespace plz {

struct BackgroundCommandLine {
  std::string program;                 // a path
  std::vector<std::string> arguments;  // after the program's name
  EnvironmentVariables environment;
  std::string directory;
};

// Move-only; kills and reaps the program if it was not waited for. Its input is empty; its output goes
// to memory and never makes it wait.
class BackgroundCommand {
 public:
  static Result<BackgroundCommand> start(const BackgroundCommandLine& line);
  BackgroundCommand(BackgroundCommand&& other) noexcept;
  BackgroundCommand& operator=(BackgroundCommand&& other) noexcept;
  ~BackgroundCommand();

  struct Ended {
    int exit_status = 0;  // 128 + n for signal n
    std::string output;
    std::string errors;
  };
  // Waits for it. Call once. timeout: it took longer, and was killed.
  Result<Ended> finish(std::chrono::milliseconds at_most);

 private:
  BackgroundCommand() = default;
  void kill_and_reap();

  std::string name_;
  pid_t pid_ = -1;  // -1: there is nothing to reap
  UniqueFd output_, errors_;
};

// Where a program lies: `name` itself if it holds a slash, else the first executable of that name in
// the environment's PATH. Relative paths are below `directory`. Empty: nowhere.
std::string locate_program(const std::string& name, const EnvironmentVariables& environment,
                           const std::string& directory);

}  // namespace plz
