// Instances.
#pragma once

#include <optional>
#include <vector>

#include "base/result.h"
#include "db/durability.h"
#include "model/instance.h"

namespace plz {

// Thread-safe. Instance::executions is not stored: it follows from the executions.
class InstanceRecords {
 public:
  virtual ~InstanceRecords() = default;
  virtual Result<void> save(const Instance& instance, Durability durability) = 0;
  virtual Result<std::optional<Instance>> find(InstanceId id) = 0;
  virtual Result<std::vector<Instance>> list(bool gone_too) = 0;
};

}  // namespace plz
