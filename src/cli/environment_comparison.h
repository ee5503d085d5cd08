// What differs in the surroundings of two executions, as their metadata have them.
#pragma once

#include <string>
#include <vector>

#include "cli/json_differences.h"
#include "model/execution.h"
#include "store/blob_channel.h"

namespace plz {

struct EnvironmentComparison {
  // Values of variables are told as they are (environment.OMP_NUM_THREADS: 1 before, 2 now), those of which only the
  // name is recorded as "set"; Python packages one by one, where `source` has both inventories.
  std::vector<JsonDifference> differences;
  // What only one of the two has on record, since an older plz, or other settings, recorded less of the other:
  // "machine.cpu_features", "the value of OMP_NUM_THREADS". No differences.
  std::vector<std::string> not_recorded;
};

EnvironmentComparison compare_environments(const ExecutionSpec& before, const ExecutionSpec& after, BlobSource& source);

// What may change results and is on record of no execution like these: sentences.
std::vector<std::string> never_recorded(const ExecutionSpec& before, const ExecutionSpec& after);

// "not recorded of both, and so not compared: A, B"; for a list that is not empty.
std::string not_compared_sentence(const std::vector<std::string>& not_recorded);

}  // namespace plz
