// What this process has inherited of the one that started it, and how it gets rid of that.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/process_attributes.h"
#include "base/result.h"

namespace plz {

// As far as the kernel tells. Thread-safe: the mask is read from /proc.
ProcessAttributes own_process_attributes();

// Of this process; 022 where the kernel does not tell (before Linux 4.7). Thread-safe.
uint32_t current_umask();

// For a service that outlives the shell that started it: every processor, the usual niceness, scheduling and I/O
// priority, a umask of 022, and soft limits raised as far as the hard ones allow. What an ordinary process may not
// have stays as it is. Call before the first thread.
void start_afresh();

// For a service with many connections: the soft limit on descriptors becomes the hard one, within reason. Returns the
// soft limit as it was, and as it is.
struct DescriptorLimits {
  uint64_t before = 0, now = 0;
};
DescriptorLimits raise_descriptor_limit();

// unavailable: `ulimit -v` allows too little for a service, which would fail here and there, and have others wait.
Result<void> check_address_space(const char* program);

// Closes every descriptor above stderr but those named, which may be negative. Call before the first thread, and
// before anything is opened.
void close_inherited_descriptors(const std::vector<int>& but = {});

// "0-3,8" of processors in rising order.
std::string processor_list(const std::vector<int>& processors);

}  // namespace plz
