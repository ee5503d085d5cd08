// What a job needs and what an instance has.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace plz {

// What an execution asks for. Zero means: none in particular (memory, gpus).
struct Resources {
  double cpus = 1;
  uint64_t memory_bytes = 0;
  uint32_t gpus = 0;
  bool operator==(const Resources&) const = default;
};

// What an instance has in all.
struct Capacity {
  double cpus = 0;
  uint64_t memory_bytes = 0;
  std::vector<std::string> gpus;  // ids as CUDA_VISIBLE_DEVICES takes them
  bool operator==(const Capacity&) const = default;
};

}  // namespace plz
