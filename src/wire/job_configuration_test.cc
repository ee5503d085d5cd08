#include "wire/job_configuration.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

TEST(JobConfiguration, NamesOneSetOfDirectories) {
  JobConfiguration configuration;
  configuration.input_directory = "/input";
  configuration.directories = {"/output", "/measures"};
  configuration.parameters.text = "{\"lr\": 1e-3}";
  EXPECT_EQ(job_configuration_json(configuration), R"({
  "input_directory": "/input",
  "output_directory": "/output",
  "measures_directory": "/measures",
  "summary_measures_path": "/measures/summary",
  "parameters": {
    "lr": 1e-3
  }
}
)");
}

TEST(JobConfiguration, NamesDirectoriesByIndex) {
  JobConfiguration configuration;
  configuration.indices = IndexRange{9, 11};
  configuration.by_index = {{9, {"/output/9", "/measures/9"}}, {10, {"/output/10", "/measures/10"}}};
  EXPECT_EQ(job_configuration_json(configuration), R"({
  "index_to_output_directory": {
    "9": "/output/9",
    "10": "/output/10"
  },
  "index_to_measures_directory": {
    "9": "/measures/9",
    "10": "/measures/10"
  },
  "index_to_summary_measures_path": {
    "9": "/measures/9/summary",
    "10": "/measures/10/summary"
  },
  "indices": {
    "range": [
      9,
      11
    ]
  },
  "parameters": {}
}
)");
}

}  // namespace
}  // namespace plz
