// The file that CONFIGURATION_FILE names: what a job is told. Its keys are a contract with jobs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "model/execution.h"

namespace plz {

struct JobDirectories {
  std::string output, measures;
};

// Paths as the job sees them. Without indices, `directories` is used; with them, one for each index.
struct JobConfiguration {
  std::optional<std::string> input_directory;
  JobDirectories directories;
  std::optional<IndexRange> indices;
  std::map<int64_t, JobDirectories> by_index;
  JsonText parameters{"{}"};
};

// Indented, for people look into it.
std::string job_configuration_json(const JobConfiguration& configuration);

}  // namespace plz
