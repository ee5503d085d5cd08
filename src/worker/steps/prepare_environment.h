// Makes ready the image that a job's container is to have.
#pragma once

#include <stop_token>
#include <string>

#include "base/result.h"
#include "environment/environments.h"
#include "model/instance.h"
#include "worker/connections.h"
#include "worker/steps/preparation_log.h"

namespace plz {

// Blocks for as long as pulls and builds take; what they say goes to `log`. While the engine or a registry
// is `unavailable` it is tried again, a few times. `environments` may be null: then there is no engine.
// cancelled: `stop` asked. Other errors carry the engine's words.
Result<ImageIdentity> prepare_environment(const Assignment& assignment, const std::string& code_directory,
                                          Environments* environments, PreparationLog& log, Connections& connections,
                                          const std::stop_token& stop);

}  // namespace plz
