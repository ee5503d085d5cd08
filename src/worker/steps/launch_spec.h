// What the runtime is told about a job.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/instance.h"
#include "runtime/runtime.h"

namespace plz {

// Where the materialised trees lie; `input` is empty when there is none. With them the cache that goes with them, and
// the downloads that it leads to; empty: none.
struct JobTrees {
  std::string code, input;
  std::string cache, downloads;
};

// What of the worker's own settings bears on jobs.
struct JobHost {
  Capacity capacity;
  std::vector<std::string> hidden_paths;                        // plz's own data and sockets
  std::function<std::vector<std::string>()> paths_of_plz = {};  // and others of the kind, as of now; may be empty
};

LaunchSpec make_launch_spec(const AttemptPaths& paths, const Assignment& assignment, const JobTrees& trees,
                            const Runtime& runtime, const JobHost& host);

}  // namespace plz
