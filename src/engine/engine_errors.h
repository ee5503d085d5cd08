// What went wrong with an engine, in words and codes that a caller can decide by. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/engine_client.h"
#include "engine/engine_settings.h"

namespace plz::engine_errors {

// A call that got no answer: `unavailable` with what to install, start or join. cancelled stays.
Error unreachable(const EngineSettings& settings, Error error);
// An answer of 400 or more. `words` are the engine's.
Error refused(int status, std::string_view words);
// An error inside the stream of a pull or a push; where the registry denies it, with what to do about `used`.
Error transfer_failed(std::string_view words, const RegistryCredentials& used);
// The same of a build.
Error build_failed(std::string_view words);

}  // namespace plz::engine_errors
