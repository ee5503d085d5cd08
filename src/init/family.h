// The processes of the job, which all are, or become, children of this one.
#pragma once

#include <sys/types.h>

#include "init/spec.h"

namespace plz::init {

// SIGKILL to every process of the job.
void kill_family(const Spec& spec, pid_t leader);
// After the leader has ended: kills what is left and reaps it, so that nothing writes any more. Gives
// up after some seconds on what cannot be killed (another user's process, one stuck in the kernel).
void end_family(const Spec& spec, pid_t leader);

}  // namespace plz::init
