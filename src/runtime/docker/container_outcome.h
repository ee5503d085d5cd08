// How an attempt ended, by the engine's word alone: where plz-init left no record. Pure.
#pragma once

#include <optional>
#include <string>

#include "engine/engine_client.h"
#include "model/execution_state.h"

namespace plz {

// Of an attempt whose plz-init was its first process. nullopt: the container is not there any more.
Outcome outcome_without_record(const std::optional<ContainerState>& container, bool plz_init_began);
// Of one whose command was its first process. The engine knows a signal only as 128 + its number.
Outcome outcome_by_engine(const std::optional<ContainerState>& container);
// An engine that refuses to start a command says why: 127 not found, 126 not executable; nullopt: something
// else is the matter.
std::optional<Outcome> outcome_of_refusal(const Error& error);

}  // namespace plz
