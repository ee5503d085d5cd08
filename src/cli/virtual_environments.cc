#include "cli/virtual_environments.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace plz {

std::vector<std::string> find_virtual_environments(const std::string& directory) {
  std::vector<std::string> names;
  std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(directory.c_str()), closedir);
  if (!entries) return names;
  for (int seen = 0; seen < kMostEntries; ++seen) {
    const dirent* entry = readdir(entries.get());
    if (!entry) break;
    std::string name = entry->d_name;
    bool may_be = (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN) && name != "." && name != "..";
    if (may_be && faccessat(dirfd(entries.get()), (name + "/pyvenv.cfg").c_str(), F_OK, 0) == 0) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace plz
