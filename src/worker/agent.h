// The worker: dials in to its controller, takes assignments and runs them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/patience.h"
#include "base/result.h"
#include "environment/environments.h"
#include "model/instance.h"
#include "runtime/container_keeper.h"
#include "runtime/runtime.h"
#include "store/materialise.h"
#include "worker/container_engines.h"
#include "worker/controller_access.h"
#include "worker/steps/measure_limits.h"

namespace plz {

struct AgentSettings {
  // Its state: instance, attempts/, cache/. Whoever starts the agent sees to it that there is one for a
  // directory, and that nobody else may look into it.
  std::string directory;
  std::optional<InstanceId> instance_id;  // given by the provider
  std::string version;
  std::string host_name;
  Capacity capacity;
  std::vector<std::string> hidden_paths;  // plz's data and sockets; its own directory is added
  // What else of plz's there is on this machine, asked for each job; may be empty.
  std::function<std::vector<std::string>()> paths_of_plz;
  uint64_t cache_limit_bytes = 0;  // of trees; 0: 20 GiB, or a tenth of the disk if that is less
  MaterialiseLimits tree_limits;   // of each
  MeasureLimits measure_limits;    // of each attempt
  std::chrono::seconds poll{30};
  // With a controller that answers, and cannot store what an attempt that is over has.
  std::chrono::milliseconds storage_patience = kPatienceWithStorage;
  // How long without a controller and without jobs until it ends by itself; 0: never.
  std::chrono::milliseconds give_up_after{0};
  BackoffSettings backoff;
  // How long an attempt waits for what its machine lacks just now.
  std::chrono::milliseconds patience = kPatienceWithMachine;
  bool is_root = false;  // whose jobs run unboxed only if they are to
};

// One thread runs it; each attempt has threads of its own.
class Agent {
 public:
  // Which runtime an assignment goes to: runtime_choice.h. What is given outlives the agent.
  // Without `environments` it runs no containers.
  Agent(AgentSettings settings, ControllerAccess& controller, std::vector<Runtime*> runtimes, const Clock& clock,
        Environments* environments = nullptr);
  ~Agent();

  // Whose leftovers an order to collect is about, too. Before run().
  void collect_from(ContainerKeeper& containers);
  // Jobs in containers then run on these, each on that of its shell, and an order to collect is about all that are
  // known. Outlives the agent. Before run().
  void use_engines(ContainerEngines& engines);

  // Takes up the attempts that it finds in its directory, and serves until `stop` asks (jobs live on,
  // for a later agent), the controller gives the instance back, or it has given up. An error: its
  // directory cannot be used.
  Result<void> run(std::stop_token stop);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace plz
