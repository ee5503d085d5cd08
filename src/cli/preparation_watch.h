// Shows the log of the preparation of an execution's environment beside what else is shown of it.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "cli/messages.h"
#include "cli/session.h"
#include "model/ids.h"
#include "net/http_client.h"

namespace plz {

// From its making on, follows the log on a thread and a connection of its own, until the job has
// started; also across the end of the controller. Failures are not told: whoever follows the execution
// meets them too.
class PreparationWatch {
 public:
  // `messages` outlives it.
  PreparationWatch(Endpoint endpoint, ClientSettings settings, ExecutionId id, Messages& messages, bool quiet_build);
  // Stops watching at once.
  ~PreparationWatch() = default;

  // For an execution that has finished: returns when all of the log was shown, or the controller
  // does not answer.
  void finish();

 private:
  void watch(const Endpoint& endpoint, const ClientSettings& settings, ExecutionId id, Messages& messages,
             bool quiet_build, const std::stop_token& stop);

  std::atomic<bool> is_finishing_ = false;
  std::jthread thread_;
};

// Null where the execution runs in no container: then there is no such log.
std::unique_ptr<PreparationWatch> watch_preparation(Session& session, ExecutionId id, const EnvironmentRecipe& recipe);

}  // namespace plz
