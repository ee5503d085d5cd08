// An exclusive lock that the kernel drops when its holder dies, however it dies.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/result.h"
#include "os/fd.h"

namespace plz {

// Move-only; unlocks when destroyed, also where a child that another thread is starting has a copy of the descriptor
// (posix_spawn closes it only with exec). The file stays.
class LockFile {
 public:
  LockFile(LockFile&&) noexcept = default;
  LockFile& operator=(LockFile&& other) noexcept;
  ~LockFile();

  // Enough for who only looks whether the lock is free, and for a child that has a copy until its exec.
  static constexpr std::chrono::milliseconds kMoment{500};

  // nullopt: somebody else holds it, for all of the patience. Creates the file (mode 0600).
  static Result<std::optional<LockFile>> try_lock(const std::string& path, std::chrono::milliseconds patience = {});
  // Waits without limit, in the kernel.
  static Result<LockFile> lock(const std::string& path);

  int fd() const { return fd_.get(); }

 private:
  explicit LockFile(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace plz
