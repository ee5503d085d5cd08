#include "init/container.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "init/contract.h"
#include "init/file.h"
#include "init/give_back.h"
#include "init/inner.h"
#include "init/message.h"

namespace plz::init {
namespace {

constexpr int kPipeBytes = 1 << 20;

// Whoever starts an ended container again does not start its job again.
bool has_begun(const char* attempt_directory) {
  struct stat lock;
  return stat((std::string(attempt_directory) + "/" + kLockFile).c_str(), &lock) == 0 && lock.st_size > 0;
}

bool place(const Fd& fd, int target) { return dup2(fd.get(), target) == target; }

// What the engine gave for the three streams ends with the engine: nothing is said there.
bool leave_streams(int directory) {
  Fd errors(openat(directory, kErrorFile, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  return errors && null && dup2(null.get(), 0) == 0 && dup2(null.get(), 1) == 1 && dup2(errors.get(), 2) == 2;
}

// Opened for reading and writing, a pipe neither waits for the other side nor breaks without it.
bool open_descriptors(const char* attempt_directory) {
  // Above those that are placed, so that none is closed by placing another.
  Fd directory(fcntl(Fd(open(attempt_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)).get(), F_DUPFD_CLOEXEC, 20));
  if (!directory || !leave_streams(directory.get())) return false;
  int at = directory.get();
  auto open_here = [&](const char* name, int flags) {
    return Fd(fcntl(Fd(openat(at, name, flags | O_CLOEXEC)).get(), F_DUPFD_CLOEXEC, 20));
  };
  Fd log = open_here(kLogPipe, O_RDWR | O_NONBLOCK), control = open_here(kControlPipe, O_RDWR | O_NONBLOCK);
  Fd job_stdout = open_here(kLogPipe, O_WRONLY);
  if (!log || !control || !job_stdout) return false;
  fcntl(log.get(), F_SETPIPE_SZ, kPipeBytes);
  return place(log, kLogFd) && place(directory, kDirectoryFd) && place(control, kControlFd) &&
         place(job_stdout, kStdoutFd);
}

}  // namespace

int run_container(const char* attempt_directory) {
  if (has_begun(attempt_directory)) return kExitBusy;
  if (!open_descriptors(attempt_directory)) {
    complain_errno("cannot take up the attempt in", attempt_directory);
    return kExitFailed;
  }
  return run_inner_in_container();
}

int run_give_back(const char* attempt_directory, char** paths) {
  struct stat owner;
  if (stat(attempt_directory, &owner) != 0) {
    complain_errno("cannot look at", attempt_directory);
    return kExitFailed;
  }
  bool given = true;
  for (; *paths; ++paths) given = give_tree(*paths, owner.st_uid, owner.st_gid) && given;
  return given ? kExitDone : kExitFailed;
}

}  // namespace plz::init
