// A control group with a memory limit, for the processes of one job: cgroup v2 where it is delegated
// to this user, or this user is root; v1's memory controller for root. The source of the file formats
// is the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace plz {

// Makes one beside or below this process's own, so that its limits hold there too, and returns its
// directory. unavailable: none can be made here, the words say why. `root` is "/" but in tests.
Result<std::string> make_memory_cgroup(uint64_t limit_bytes, const std::string& root = "/");
// Write "0" there to enter it.
std::string cgroup_procs_file(const std::string& directory);
// How often the kernel killed a process of it for lack of memory; nullopt: the directory is gone.
std::optional<uint64_t> cgroup_oom_kills(const std::string& directory);
// Its processes must have ended. One that is gone is success.
Result<void> remove_cgroup(const std::string& directory);

}  // namespace plz
