// What a worker's jobs in containers stand on: the engine of this machine, the logins to registries, and
// the environments that are kept there.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/variables.h"
#include "engine/engine_settings.h"
#include "environment/environment_settings.h"
#include "environment/environments.h"
#include "model/execution.h"

namespace plz {

// Of kEngineVariables those of `shell`, unless it has none of them; all others of this process.
Variables variables_for_engine(EnvironmentVariables shell);

// Logins to registries are looked for as `variables`, of variables_for_engine, say. `clock` outlives the result. Null
// where the engine's settings cannot be used.
std::unique_ptr<Environments> make_environments(const Result<EngineSettings>& engine, EnvironmentSettings settings,
                                                const Variables& variables, const Clock& clock);

}  // namespace plz
