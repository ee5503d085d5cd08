// The engines that jobs in containers run on: that of the shell which submitted the job, else this worker's own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "environment/environments.h"
#include "model/execution.h"
#include "runtime/container_keeper.h"
#include "runtime/runtime.h"

namespace plz {

// What one attempt works with. All of it lives as long as the ContainerEngines that gave it.
struct ContainerEngine {
  std::string address;  // for people: "unix:/var/run/docker.sock"; "": its settings cannot be used
  std::string note;     // how a later process finds the same one again; "": it cannot be used
  Runtime* runtime = nullptr;
  Environments* environments = nullptr;  // null: it cannot be used
  ContainerKeeper* containers = nullptr;
};

// Thread-safe. An engine whose settings cannot be used has a runtime that is not available, and says why.
class ContainerEngines {
 public:
  virtual ~ContainerEngines() = default;
  // Of a submitting shell, by kEngineVariables of its environment. One that has none of these takes the worker's own.
  virtual ContainerEngine of_shell(const EnvironmentVariables& shell) = 0;
  // The one that an earlier process noted, whatever the variables and Docker's contexts say by now. With a note that
  // cannot be read: that of the shell.
  virtual ContainerEngine noted(std::string_view note, const EnvironmentVariables& shell) = 0;
  // The worker's own, and all others that were asked for since it began; each once.
  virtual std::vector<ContainerEngine> known() = 0;
};

}  // namespace plz
