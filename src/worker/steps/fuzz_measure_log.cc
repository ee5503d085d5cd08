// Any bytes as the file of measures that an earlier worker left: what is whole in it is given, and what is
// added after it as well.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "worker/steps/measure_log.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const int file = memfd_create("measures", MFD_CLOEXEC);
  if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) abort();
  plz::MeasureLog log("/proc/self/fd/" + std::to_string(file));
  size_t known = 0;
  if (!log.open([&](const plz::MeasureEvent&, const plz::MeasureStamp&) { ++known; })) return 0;
  plz::MeasureEvent more;
  more.path = "loss";
  more.value.text = "0.5";
  if (!log.add(more, {}) || !log.flush()) abort();
  size_t given = 0;
  while (!log.all_taken()) {
    auto events = log.next(100, 1000);
    if (!events || events->empty()) abort();
    given += events->size();
    log.taken();
  }
  if (given != known + 1) abort();
  return 0;
}
