// The container engines of a worker: one runtime for each engine, and images by engine and by who logs in.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "engine/engine_settings.h"
#include "environment/environment_settings.h"
#include "runtime/docker/docker_runtime.h"
#include "worker/container_engines.h"

namespace plz {

// A note is lines "NAME VALUE": address, and of TLS ca, certificate and key; source, for messages.
std::string note_of_engine(const EngineSettings& engine);
Result<EngineSettings> engine_of_note(std::string_view note);

class EnginePool final : public ContainerEngines {
 public:
  // `clock` outlives it.
  EnginePool(DockerRuntimeSettings runtime, EnvironmentSettings images, const Clock& clock);
  ~EnginePool() override;

  ContainerEngine own() { return of_shell({}); }
  ContainerEngine of_shell(const EnvironmentVariables& shell) override;
  ContainerEngine noted(std::string_view note, const EnvironmentVariables& shell) override;
  std::vector<ContainerEngine> known() override;

 private:
  struct Engine;
  ContainerEngine get(const Result<EngineSettings>& settings, const EnvironmentVariables& shell);

  const DockerRuntimeSettings runtime_;
  const EnvironmentSettings images_;
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Engine>> engines_;  // guarded by mutex_; by note, or by what is wrong
  std::string own_;                                         // its key
};

}  // namespace plz
