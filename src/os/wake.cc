#include "os/wake.h"

#include <sys/eventfd.h>
#include <unistd.h>

namespace plz {

Result<Wake> Wake::make() {
  UniqueFd fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd) return fail_errno("cannot make an eventfd");
  return Wake(std::move(fd));
}

// The counter is at its limit or at zero: awake, or asleep, already.
void Wake::wake() const {
  uint64_t one = 1;
  if (write(fd_.get(), &one, sizeof one) < 0) return;
}

void Wake::clear() const {
  uint64_t count;
  if (read(fd_.get(), &count, sizeof count) < 0) return;
}

}  // namespace plz
