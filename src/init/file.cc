#include "init/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace plz::init {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) reset(other.release());
  return *this;
}

int Fd::release() {
  int fd = fd_;
  fd_ = -1;
  return fd;
}

void Fd::reset(int fd) {
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

bool read_whole(int directory, const char* name, std::string& content) {
  Fd fd(openat(directory, name, O_RDONLY | O_CLOEXEC));
  if (!fd) return false;
  content.clear();
  char buffer[4096];
  for (;;) {
    ssize_t n = read(fd.get(), buffer, sizeof buffer);
    if (n == 0) return true;
    if (n > 0) content.append(buffer, static_cast<size_t>(n));
    if (n < 0 && errno != EINTR) return false;
  }
}

bool write_all(int fd, const void* bytes, size_t size) {
  const char* next = static_cast<const char*>(bytes);
  while (size > 0) {
    ssize_t n = write(fd, next, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    next += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

bool write_whole(int directory, const char* name, const std::string& content) {
  Fd fd(openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  return fd && write_all(fd.get(), content.data(), content.size());
}

bool exists(int directory, const char* name) {
  struct stat st;
  return fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool record_is_complete(int directory, const char* name) {
  std::string content;
  return read_whole(directory, name, content) && content.ends_with("\nend\n");
}

}  // namespace plz::init
