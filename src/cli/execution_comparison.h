// What differs between two executions: what was asked for, and what came of it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/json_differences.h"
#include "cli/session.h"
#include "cli/tree_differences.h"
#include "store/blob_channel.h"

namespace plz {

struct CauseDifferences {
  std::vector<JsonDifference> command, parameters, configuration, environment;
  std::vector<TreeDifference> code, input;
  std::vector<std::string> not_recorded;  // of both, and so not compared: EnvironmentComparison::not_recorded
  bool empty() const {
    return command.empty() && parameters.empty() && configuration.empty() && environment.empty() && code.empty() &&
           input.empty();
  }
};

struct ResultDifferences {
  std::vector<JsonDifference> outcome, measures;
  std::vector<TreeDifference> output;
  bool empty() const { return outcome.empty() && measures.empty() && output.empty(); }
};

// `environment` begins with the recipe and the image, where they differ: an image that is not known yet
// differs from none.
Result<CauseDifferences> compare_causes(const Execution& before, const Execution& after, BlobSource& source);
Result<ResultDifferences> compare_results(Session& session, const Execution& before, const Execution& after,
                                          BlobSource& source);

// A part is run again as a composite of its own indices: what compares with it is the part of these indices there. Else
// it is `other` itself.
Result<Execution> counterpart_of(Session& session, const Execution& one, const Execution& other);

}  // namespace plz
