#include "worker/steps/job_directory_access.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "os/beneath.h"

namespace plz {
namespace {

constexpr int kFlags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr mode_t kOwnersBits = 0700;

}  // namespace

UniqueFd open_job_directory(int at, const char* name) {
  UniqueFd opened(openat(at, name, O_RDONLY | kFlags));
  if (opened || errno != EACCES) return opened;
  UniqueFd place(openat(at, name, O_PATH | kFlags));
  struct stat status {};
  if (!place || fstat(place.get(), &status) != 0) return UniqueFd();
  if (chmod(path_of_descriptor(place.get()).c_str(), (status.st_mode & 07777) | kOwnersBits) != 0) return UniqueFd();
  return UniqueFd(openat(at, name, O_RDONLY | kFlags));
}

}  // namespace plz
