#include "app/program_path.h"

#include <limits.h>
#include <unistd.h>

#include "os/file.h"

namespace plz {

std::string program_beside(std::string_view name) {
  char buffer[PATH_MAX];
  ssize_t size = readlink("/proc/self/exe", buffer, sizeof buffer);
  if (size <= 0) return std::string(name);
  std::string directory = parent_path(std::string_view(buffer, static_cast<size_t>(size)));
  for (const std::string& candidate :
       {directory + "/" + std::string(name), directory + "/../libexec/plz/" + std::string(name)})
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  return std::string(name);
}

}  // namespace plz
