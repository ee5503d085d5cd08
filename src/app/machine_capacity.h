// This machine as an instance.
#pragma once

#include "model/resources.h"
#include "os/machine.h"

namespace plz {

inline Capacity capacity_of(const Machine& machine) {
  Capacity capacity{machine.cpus, machine.memory_bytes, {}};
  for (const Gpu& gpu : machine.gpus) capacity.gpus.push_back(gpu.id);
  return capacity;
}

}  // namespace plz
