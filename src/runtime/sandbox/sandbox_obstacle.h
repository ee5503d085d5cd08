// Why no sandbox can be had on a machine, and what its owner can do.
#pragma once

#include <string>

#include "base/result.h"

namespace plz {

Error no_bubblewrap();
// "bubblewrap 0.8.0", or "" when it does not say.
std::string bubblewrap_version(const std::string& bwrap_path);
// What in the kernel's settings forbids user namespaces, as an addition to a sentence; "" when nothing
// that is known does. The second form reads another root's /proc/sys, for tests.
std::string sandbox_obstacle();
std::string sandbox_obstacle(const std::string& proc_sys);

}  // namespace plz
