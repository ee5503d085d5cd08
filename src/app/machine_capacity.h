// This machine as an instance.
#pragma once

#include <algorithm>

#include "model/resources.h"
#include "os/machine.h"

namespace plz {

inline Capacity capacity_of(const Machine& machine) {
  // Where there is less than a processor, what asks for one, as all do where nothing is said, gets what there is.
  Capacity capacity{std::max(machine.cpus, 1.0), machine.memory_bytes, {}};
  for (const Gpu& gpu : machine.gpus) capacity.gpus.push_back(gpu.id);
  return capacity;
}

}  // namespace plz
