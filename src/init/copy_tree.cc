#include "init/copy_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>

#include "init/file.h"
#include "init/message.h"

namespace plz::init {
namespace {

bool failed(const char* name) {
  complain_errno("cannot copy", name);
  return false;
}

void keep_times(int fd, const struct stat& st) {
  timespec times[2] = {st.st_atim, st.st_mtim};
  futimens(fd, times);
}

bool copy_bytes(int source, int target, off_t size) {
  while (size > 0) {
    ssize_t n = copy_file_range(source, nullptr, target, nullptr, static_cast<size_t>(size), 0);
    // Across file systems on kernels before 5.19, and where the file system refuses.
    if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS))
      n = sendfile(target, source, nullptr, static_cast<size_t>(size));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n == 0;
    size -= n;
  }
  return true;
}

bool copy_file(int from, int to, const char* name, const struct stat& st) {
  Fd source(openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  unlinkat(to, name, 0);
  Fd target(openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!source || !target || !copy_bytes(source.get(), target.get(), st.st_size)) return failed(name);
  fchmod(target.get(), st.st_mode & 0777);
  keep_times(target.get(), st);
  return true;
}

bool copy_link(int from, int to, const char* name) {
  char text[PATH_MAX];
  ssize_t n = readlinkat(from, name, text, sizeof text - 1);
  if (n < 0) return failed(name);
  text[n] = 0;
  unlinkat(to, name, 0);
  return symlinkat(text, to, name) == 0 || failed(name);
}

bool copy_directory(Fd from, Fd to);

bool copy_subdirectory(int from, int to, const char* name, const struct stat& st) {
  if (mkdirat(to, name, 0700) != 0 && errno != EEXIST) return failed(name);
  Fd source(openat(from, name, kDirectoryFlags)), target(openat(to, name, kDirectoryFlags));
  if (!source || !target) return failed(name);
  Fd kept(fcntl(target.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy_directory(std::move(source), std::move(target))) return false;
  // Only now: a directory without write permission could not have been filled.
  fchmod(kept.get(), st.st_mode & 0777);
  keep_times(kept.get(), st);
  return true;
}

bool copy_entry(int from, int to, const char* name) {
  struct stat st;
  if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) != 0) return failed(name);
  if (S_ISDIR(st.st_mode)) return copy_subdirectory(from, to, name, st);
  if (S_ISLNK(st.st_mode)) return copy_link(from, to, name);
  return !S_ISREG(st.st_mode) || copy_file(from, to, name, st);
}

bool copy_directory(Fd from, Fd to) {
  DIR* entries = fdopendir(from.release());
  if (!entries) return failed("a directory");
  bool ok = true;
  while (dirent* entry = readdir(entries)) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    ok = ok && copy_entry(dirfd(entries), to.get(), entry->d_name);
  }
  closedir(entries);
  return ok;
}

}  // namespace

bool copy_tree(const char* source, const char* target) {
  Fd from(open(source, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!from) return failed(source);
  if (mkdir(target, 0700) != 0 && errno != EEXIST) return failed(target);
  Fd to(open(target, kDirectoryFlags));
  struct stat st;
  if (!to || fstat(from.get(), &st) != 0) return failed(target);
  Fd kept(fcntl(to.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy_directory(std::move(from), std::move(to))) return false;
  fchmod(kept.get(), st.st_mode & 0777);
  return true;
}

}  // namespace plz::init
