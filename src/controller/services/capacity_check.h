// What can never be met: resources that nobody here could give even if nothing else ran. Such a submission is
// refused, unless it says that it waits all the same.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "controller/services/worker_service.h"
#include "model/resources.h"
#include "provider/provider.h"

namespace plz {

// Pure. "200 processors: no instance has more than 2", or, of one machine, "200 processors: this machine has 2";
// nothing where one of them has it all.
enum class Among { instances, this_machine };
std::optional<std::string> why_never_met(const Resources& wanted, const std::vector<Capacity>& there, Among among);

// Thread-safe.
class CapacityCheck {
 public:
  // Both outlive it. `embedded`: everything runs on this machine.
  CapacityCheck(Provider& provider, const WorkerService& workers, bool embedded);

  // Instances are asked of the provider. Until this is called, whatever there is dials in by itself, of any size,
  // and nothing is refused.
  void provider_is_used() { provider_is_used_ = true; }

  // never_met, with what there is. What the provider offers counts, and each instance that is there: a controller
  // that has just started, whose worker has not dialled in, refuses nothing falsely.
  Result<void> check(const Resources& wanted) const;

 private:
  Provider& provider_;
  const WorkerService& workers_;
  const bool embedded_;
  std::atomic<bool> provider_is_used_{false};
};

}  // namespace plz
