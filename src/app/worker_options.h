// plz-worker's settings.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/log.h"
#include "base/patience.h"
#include "environment/environment_settings.h"
#include "model/ids.h"
#include "net/http_client.h"
#include "store/materialise.h"
#include "worker/steps/measure_limits.h"

namespace plz {

struct WorkerOptions {
  Endpoint controller;
  std::string directory;
  std::optional<InstanceId> instance;
  std::string log_file;  // empty: stderr
  LogLevel log_level = LogLevel::info;
  std::string data_directory;  // hidden from jobs, beside `directory`; may be empty
  uint64_t cache_limit_bytes = 0;
  MaterialiseLimits tree_limits;
  std::chrono::seconds storage_patience = kPatienceWithStorage;
  MeasureLimits measure_limits;
  EnvironmentSettings images;  // without its directory
};

struct ParsedWorkerOptions {
  std::optional<WorkerOptions> options;  // none: the program is to end with exit_status
  int exit_status = 0;
};
ParsedWorkerOptions parse_worker_options(int argc, char** argv);

}  // namespace plz
