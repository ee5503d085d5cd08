#pragma once

#include <cstddef>
#include <cstdint>

namespace plz {

// What an attempt's measures may hold in all. What is beyond is not kept, and the outcome's reason says so: no job
// fills memory and disk of those who run it, and its end does not wait for what nobody can use.
struct MeasureLimits {
  size_t files = 500'000;
  size_t directories = 100'000;  // beside the roots
  size_t depth = 100;
  uint64_t bytes = 4ull << 30;  // of all values of all series, with their names
};

}  // namespace plz
