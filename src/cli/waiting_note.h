// Tells a person who waits for an execution why it is not running yet, or does not go on.
#pragma once

#include <thread>

#include "cli/messages.h"
#include "model/ids.h"
#include "net/http_client.h"

namespace plz {

// From its making until its end, asks the controller now and then on a thread and a connection of its own, first
// after two seconds, until the execution has finished. Failures are not told: whoever follows the execution meets
// them too.
class WaitingNote {
 public:
  // `messages` outlives it.
  WaitingNote(Endpoint endpoint, ExecutionId id, Messages& messages);

 private:
  std::jthread thread_;
};

}  // namespace plz
