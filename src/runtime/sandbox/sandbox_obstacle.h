// Why no sandbox can be had on a machine, and what its owner can do.
#pragma once

#include <string>

namespace plz {

// What in the kernel's settings forbids user namespaces, with the remedy; "" when nothing that is known
// does. `proc_sys` is /proc/sys but in tests.
std::string sandbox_obstacle(const std::string& proc_sys = "/proc/sys");

}  // namespace plz
