#include "os/boot_time.h"

#include <ctime>

namespace plz {

std::chrono::microseconds boot_time() {
  timespec time;
  clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::seconds(time.tv_sec) +
         std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::nanoseconds(time.tv_nsec));
}

}  // namespace plz
