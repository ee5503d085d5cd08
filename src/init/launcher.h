// Starts the sandbox program that becomes the inner half.
#pragma once

#include <sys/types.h>

#include "init/file.h"
#include "init/spec.h"

namespace plz::init {

// The descriptors that the inner half gets; see contract.h.
struct InnerDescriptors {
  Fd log, directory, control, job_stdout, program;
  // Opens them all; complains.
  bool open_all(int attempt_directory);
};

// Prepares the code, enters the cgroups, leaves the launch marker and executes the sandbox program.
// Blocks until it has been executed, or has failed (said on stderr). Returns its process id, or -1
// when there was nothing to start it with. On return nobody but the started holds the descriptors.
pid_t launch(const Spec& spec, InnerDescriptors descriptors, int attempt_directory);

}  // namespace plz::init
