// Small files, whole, by descriptor of their directory. plz-init stands alone: it does without os/.
#pragma once

#include <fcntl.h>
#include <sys/types.h>

#include <string>

namespace plz::init {

// To open a directory by its name in another, and nothing else that bears the name.
inline constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// Closes its descriptor.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();
  void reset(int fd = -1);

 private:
  int fd_;
};

// False with errno set when it cannot be read.
bool read_whole(int directory, const char* name, std::string& content);
bool write_all(int fd, const void* bytes, size_t size);
// Creates or truncates.
bool write_whole(int directory, const char* name, const std::string& content);
bool exists(int directory, const char* name);
// Has a record's last line.
bool record_is_complete(int directory, const char* name);

}  // namespace plz::init
