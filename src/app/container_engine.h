// What a worker's jobs in containers stand on: the engine of this machine, the logins to registries, and
// the environments that are kept there.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "engine/engine_settings.h"
#include "environment/environment_settings.h"
#include "environment/environments.h"

namespace plz {

// As this process's environment variables say.
Result<EngineSettings> engine_of_this_machine();

// `clock` outlives the result. Null where the engine's settings cannot be used.
std::unique_ptr<Environments> make_environments(const Result<EngineSettings>& engine, EnvironmentSettings settings,
                                                const Clock& clock);

}  // namespace plz
