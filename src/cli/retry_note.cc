#include "cli/retry_note.h"

namespace plz {

void RetryNote::failed(const Error& error, SteadyTime since) {
  if (clock_.steady() - since < kUnsaid) return;
  {
    std::lock_guard lock(mutex_);
    if (!told_.insert(error.message).second) return;
  }
  messages_.warning(error.message + "; trying again");
}

}  // namespace plz
