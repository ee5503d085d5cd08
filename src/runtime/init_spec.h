// What plz-init is to run, and its text form (../init/contract.h).
#pragma once

#include <string>
#include <vector>

#include "base/process_attributes.h"
#include "base/result.h"
#include "model/execution.h"

namespace plz {

// A part of what is seen in a sandbox; see kKeyBox… of the contract.
enum class BoxStepKind { link, read, read_try, write, device, hide, proc, devices };
struct BoxStep {
  BoxStepKind kind;
  std::string path;    // in the sandbox
  std::string source;  // on the host; of a link, its text; else ""
  bool operator==(const BoxStep&) const = default;
};

// Who makes the sandbox.
enum class InitMode {
  box,        // plz-init itself, from `box_steps`
  program,    // `launch`, which is to execute plz-init as process 1 of a pid namespace
  process,    // nobody: `launch` is plz-init
  container,  // an engine: plz-init is its first process
};

struct InitSpec {
  InitMode mode = InitMode::process;
  std::vector<std::string> launch;  // argv that ends up as `plz-init inner`
  std::string box_root;             // an empty directory
  bool box_network = true;          // the host's
  std::vector<BoxStep> box_steps;
  std::vector<std::string> command;
  EnvironmentVariables environment;
  std::string directory;                  // the job's working directory, as it sees it
  ProcessAttributes attributes;           // of the job
  std::vector<std::string> cgroup_procs;  // files to write the process into
  std::string code_source, code_target;
  std::string code_upper, code_work;  // empty: copy
  // In a container.
  std::string user;                    // NAME or UID, with :GROUP or :GID; "": who plz-init is
  std::vector<std::string> groups;     // besides
  bool set_home = false;               // HOME is the user's
  int stop_signal = 0;                 // 0: SIGTERM
  std::vector<std::string> give_back;  // trees that the attempt's owner gets in the end
};

// invalid: the command is empty, or something holds a NUL byte, which no process can be given.
Result<std::string> encode_init_spec(const InitSpec& spec);

}  // namespace plz
