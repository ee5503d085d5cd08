// Starts the process that becomes the inner half.
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

// Prepares the code, enters the cgroups, makes the box, leaves the launch marker and goes on as the
// inner half; or, without a box, executes the program that will. Blocks until that has happened, or has
// failed (said on stderr). Returns the process's id, or -1 when there was nothing to start it with. On
// return nobody but the started holds the descriptors. `again`: the code was prepared before.
pid_t launch(const Spec& spec, InnerDescriptors descriptors, int attempt_directory, bool again = false);

}  // namespace plz::init
