#include "init/outer_lock.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "init/contract.h"
#include "init/message.h"

namespace plz::init {

OuterLock::Attempted OuterLock::take(int attempt_directory) {
  fd_.reset(openat(attempt_directory, kLockFile, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  struct flock whole_file {};
  whole_file.l_type = F_WRLCK;
  if (fd_ && fcntl(fd_.get(), F_SETLK, &whole_file) == 0) {
    tell_status("ok");
    return Attempted::taken;
  }
  if (fd_ && (errno == EAGAIN || errno == EACCES)) return Attempted::busy;
  complain_errno("cannot lock", kLockFile);
  return Attempted::failed;
}

void OuterLock::tell_status(const char* status) {
  char text[kLockFileBytes];
  memset(text, ' ', sizeof text);
  int n = snprintf(text, sizeof text - 1, "%d %s", static_cast<int>(getpid()), status);
  if (n > 0 && n < static_cast<int>(sizeof text)) text[n] = ' ';
  text[sizeof text - 1] = '\n';
  // Nothing waits for these words: a failure is not worth a word either.
  if (pwrite(fd_.get(), text, sizeof text, 0) < 0) return;
}

}  // namespace plz::init
