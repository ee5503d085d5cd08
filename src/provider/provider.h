// Where instances come from. An instance is asked for here; the worker on it then dials in to the
// controller by itself.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/instance.h"

namespace plz {

// A kind of instance that can be had.
struct Offer {
  std::string type;  // "" where the provider has no types
  Capacity capacity;
};

enum class InstanceHealth {
  alive,
  gone,  // it has ended, or was never there
};

// Thread-safe. Calls may block on the network or on a process.
class Provider {
 public:
  virtual ~Provider() = default;
  virtual std::string name() const = 0;
  virtual Result<std::vector<Offer>> offers() = 0;
  // Asks for an instance under the id given; asking twice for one id gets one instance. `unavailable`
  // with the provider's words when there is none to be had now.
  virtual Result<void> create(InstanceId id, const MarketSpec& market) = 0;
  virtual Result<InstanceHealth> inspect(InstanceId id) = 0;
  // Ends the worker's process but not the jobs it looks after, so that create() starts the program that is
  // installed today. Nothing where a worker lives and ends with its instance.
  virtual Result<void> end_worker(InstanceId id) = 0;
  // Gives it back; an instance that is gone is success.
  virtual Result<void> terminate(InstanceId id) = 0;
};

}  // namespace plz
