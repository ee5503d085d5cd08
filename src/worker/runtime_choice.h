// Which runtime of a worker a job gets, or why it gets none. Pure.
#pragma once

#include <string>
#include <vector>

#include "model/execution.h"
#include "model/instance.h"

namespace plz {

struct RuntimeChoice {
  size_t index = 0;          // in the list
  std::string refusal = {};  // set: none can run it, with the reason
  std::string unboxed = {};  // why it is not boxed, where nobody asked for that
};

// A job with an image gets a container. Any other gets what its spec asks for; else the first of those that are
// available, or that may be soon, which is then waited for. A plain process that nobody asked for is had only where
// the kernel or the machine's owner refuses a sandbox, and never by root, whom nothing else would hold back.
RuntimeChoice choose_runtime(const ExecutionSpec& spec, const std::vector<RuntimeFingerprint>& runtimes, bool is_root);

// Whether the choice may fall on it.
bool is_runtime_for(const ExecutionSpec& spec, const RuntimeFingerprint& runtime);

}  // namespace plz
