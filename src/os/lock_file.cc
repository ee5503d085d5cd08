#include "os/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>

#include <thread>

#include "os/file.h"

namespace plz {
namespace {

constexpr std::chrono::milliseconds kLookAgain{10};

void unlock(const UniqueFd& fd) {
  if (fd) flock(fd.get(), LOCK_UN);
}

}  // namespace

LockFile& LockFile::operator=(LockFile&& other) noexcept {
  if (this != &other) {
    unlock(fd_);
    fd_ = std::move(other.fd_);
  }
  return *this;
}

LockFile::~LockFile() { unlock(fd_); }

Result<std::optional<LockFile>> LockFile::try_lock(const std::string& path, std::chrono::milliseconds patience) {
  PLZ_ASSIGN(UniqueFd fd, open_file(path, O_RDWR | O_CREAT, 0600));
  for (auto left = patience;; left -= kLookAgain) {
    if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return std::optional(LockFile(std::move(fd)));
    if (errno != EWOULDBLOCK) return fail_errno("cannot lock " + path);
    if (left <= kLookAgain) return std::optional<LockFile>();
    std::this_thread::sleep_for(kLookAgain);
  }
}

Result<LockFile> LockFile::lock(const std::string& path) {
  PLZ_ASSIGN(UniqueFd fd, open_file(path, O_RDWR | O_CREAT, 0600));
  while (flock(fd.get(), LOCK_EX) != 0)
    if (errno != EINTR) return fail_errno("cannot lock " + path);
  return LockFile(std::move(fd));
}

}  // namespace plz
