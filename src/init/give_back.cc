#include "init/give_back.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "init/file.h"
#include "init/message.h"

namespace plz::init {
namespace {

struct Giving {
  uid_t uid;
  gid_t gid;
  dev_t device;
  bool complete = true;

  void failed(const char* name) {
    if (complete) complain_errno("cannot give back", name);
    complete = false;
  }
};

void give_entry(Giving& giving, int directory, const char* name);

void give_entries(Giving& giving, Fd directory) {
  DIR* entries = fdopendir(directory.release());
  if (!entries) return giving.failed("a directory");
  while (dirent* entry = readdir(entries))
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
      give_entry(giving, dirfd(entries), entry->d_name);
  closedir(entries);
}

// A change of owner drops the set-uid and set-gid bits.
void give_inode(Giving& giving, int directory, const char* name, const struct stat& st) {
  mode_t mode = st.st_mode & 07777;
  mode_t wanted = mode | (S_ISDIR(st.st_mode) ? 0700 : S_ISREG(st.st_mode) ? 0400 : 0);
  bool changes_owner = st.st_uid != giving.uid || st.st_gid != giving.gid;
  if (changes_owner && fchownat(directory, name, giving.uid, giving.gid, AT_SYMLINK_NOFOLLOW) != 0)
    return giving.failed(name);
  bool changes_mode = wanted != mode || (changes_owner && (mode & 06000) != 0);
  if (changes_mode && !S_ISLNK(st.st_mode) && fchmodat(directory, name, wanted, AT_SYMLINK_NOFOLLOW) != 0)
    giving.failed(name);
}

void give_entry(Giving& giving, int directory, const char* name) {
  struct stat st;
  if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) != 0) return giving.failed(name);
  if (st.st_dev != giving.device) return;
  give_inode(giving, directory, name, st);
  if (!S_ISDIR(st.st_mode)) return;
  Fd below(openat(directory, name, kDirectoryFlags));
  if (!below) return giving.failed(name);
  give_entries(giving, std::move(below));
}

}  // namespace

bool give_tree(const char* path, uid_t uid, gid_t gid) {
  Giving giving{uid, gid, 0};
  struct stat st;
  if (lstat(path, &st) != 0) {
    giving.failed(path);
    return false;
  }
  giving.device = st.st_dev;
  give_entry(giving, AT_FDCWD, path);
  return giving.complete;
}

}  // namespace plz::init
