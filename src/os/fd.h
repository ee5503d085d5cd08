// Owned file descriptors, and errno as an Error.
#pragma once

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace plz {

// Closes its descriptor. Not thread-safe, as an int is not.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

// "cannot open /x: Permission denied". The code is not_found for ENOENT and ENOTDIR, unavailable for
// a full disk or a lack of memory or descriptors, invalid for lacking permission, else internal.
Error errno_error(int error_number, std::string_view what);
inline tl::unexpected<Error> fail_errno(std::string_view what) {
  return tl::unexpected<Error>(errno_error(errno, what));
}

// Writes all of it, going on after short writes and EINTR.
Result<void> write_all(int fd, std::string_view bytes);
// As write_all, at an offset, without moving the descriptor's own.
Result<void> pwrite_all(int fd, std::string_view bytes, uint64_t offset);
// Reads until `size` bytes or the end; returns how many.
Result<size_t> read_up_to(int fd, void* buffer, size_t size);
Result<size_t> pread_up_to(int fd, void* buffer, size_t size, uint64_t offset);

}  // namespace plz
