// The directories and the configuration file of an attempt.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/execution.h"
#include "runtime/runtime.h"
#include "worker/steps/measure_watcher.h"

namespace plz {

// Makes output and measures; for an execution over indices with a directory for each index. What an earlier try
// made, and a container may have by now, is left as it is; so is the configuration file.
// `umask`: of who submitted it, for the directories of indices, which come back as output.
Result<void> make_job_directories(const AttemptPaths& paths, const std::optional<IndexRange>& indices,
                                  std::optional<uint32_t> umask = {});
// Writes configuration.json, with paths as the job sees them.
Result<void> write_job_configuration(const AttemptPaths& paths, const ExecutionSpec& spec, const Runtime& runtime);
// Where the job's measures appear, below paths.measures().
std::vector<MeasureRoot> measure_roots(const std::optional<IndexRange>& indices);

}  // namespace plz
