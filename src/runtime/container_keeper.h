// An ability of runtimes whose jobs leave something outside their attempts' directories: containers that
// a crash, or a hand, left behind.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/ids.h"

namespace plz {

struct KeptContainer {
  std::string id, name;
  AttemptId attempt_id;
  uint64_t bytes = 0;  // of its own layer
};

// Thread-safe.
class ContainerKeeper {
 public:
  virtual ~ContainerKeeper() = default;
  // Those that this worker's attempts were started in, running or not; no other worker's, nobody else's.
  virtual Result<std::vector<KeptContainer>> containers() = 0;
  // Also a running one. Absent: success.
  virtual Result<void> remove_container(const std::string& id) = 0;
  // Tries again with those of ended attempts that could not be removed.
  virtual void remove_abandoned() {}
};

}  // namespace plz
