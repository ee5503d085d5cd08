// Why no sandbox can be had on a machine, and what its owner can do.
#pragma once

#include <string>
#include <string_view>

namespace plz {

// What in the kernel's settings forbids user namespaces, with the remedy; "" when nothing that is known
// does. `proc_sys` is /proc/sys but in tests.
std::string sandbox_obstacle(const std::string& proc_sys = "/proc/sys");

// Whether these words of plz-init, or of bubblewrap, say that kernel or owner refuse a sandbox: then it will not be had
// later either. All else that failed may have failed for the moment: for want of disk, memory, descriptors, processes.
bool is_refusal_of_sandbox(std::string_view words);

}  // namespace plz
