// The environment variables of a job.
#pragma once

#include <string>

#include "model/execution.h"
#include "model/instance.h"

namespace plz {

// Where the job sees what the environment speaks of.
struct JobPlaces {
  std::string code;           // its working directory
  std::string configuration;  // CONFIGURATION_FILE
};

// The submitting shell's variables (a plain set where there was none), less PLZ_* and what speaks of
// the shell's own directory and temporary files, and over them those configured. PYTHONUNBUFFERED=1
// unless set. CUDA_VISIBLE_DEVICES names the GPUs that were handed out; on a machine with GPUs a job
// that asked for none sees none, for all may be handed out to others, unless it configured otherwise.
// In a container: those configured, which are added to the image's own; the shell's PATH and HOME would be
// wrong there. The GPUs that it sees are numbered anew from 0, so CUDA_VISIBLE_DEVICES is left alone, and
// NVIDIA_VISIBLE_DEVICES names those that were handed out, or none, for NVIDIA's container runtime; where
// docker_run_args name a runtime or devices, and none were handed out, it stays the image's.
EnvironmentVariables job_environment(const Assignment& assignment, const JobPlaces& places, const Capacity& capacity);

// The last value of a variable; "" where there is none.
std::string variable_of(const EnvironmentVariables& variables, std::string_view name);

}  // namespace plz
