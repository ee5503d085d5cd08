// Starts the job's command.
#pragma once

#include <sys/types.h>

#include <string>

#include "init/spec.h"

namespace plz::init {

struct StartedCommand {
  pid_t pid = -1;         // leader of a session and a process group of its own
  int status = 0;         // when pid is -1: 127 not found, 126 not executable or no directory
  std::string reason;     // when pid is -1
  std::string not_given;  // of the attributes that the specification names
};

// Blocks until the command has been executed, or could not be. Looks it up in the PATH of its own
// environment; a script without #! is run by /bin/sh, as a shell would. A failure is also said in
// the job's log.
StartedCommand start_command(const Spec& spec);

}  // namespace plz::init
