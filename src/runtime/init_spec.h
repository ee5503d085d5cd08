// What plz-init is to run, and its text form (../init/contract.h).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/execution.h"

namespace plz {

struct InitSpec {
  bool own_pid_namespace = false;        // what `launch` makes is process 1 of a pid namespace
  std::vector<std::string> launch;       // argv that ends up as `plz-init inner`
  std::vector<std::string> command;
  EnvironmentVariables environment;
  std::string directory;                 // the job's working directory, as it sees it
  std::vector<std::string> cgroup_procs; // files to write the process into
  std::string code_source, code_target;
  std::string code_upper, code_work;     // empty: copy
};

// invalid: the command is empty, or something holds a NUL byte, which no process can be given.
Result<std::string> encode_init_spec(const InitSpec& spec);

}  // namespace plz
