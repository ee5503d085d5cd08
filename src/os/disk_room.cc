#include "os/disk_room.h"

#include <sys/statvfs.h>

#include <cerrno>

#include "base/text.h"
#include "os/file.h"

namespace plz {

std::string DiskRoom::words() const {
  const std::string room = human_bytes(free_bytes) + " free of " + human_bytes(total_bytes);
  return has_no_names ? directory + " can hold no more files (" + room + ")" : directory + " has " + room;
}

Result<DiskRoom> disk_room(const std::string& directory) {
  std::string present = directory;
  struct statvfs disk {};
  while (statvfs(present.c_str(), &disk) != 0) {
    if (errno != ENOENT || present == "/" || present.empty()) return fail_errno("cannot stat the disk of " + directory);
    present = parent_path(present);
  }
  DiskRoom room;
  room.directory = directory;
  room.free_bytes = uint64_t{disk.f_bavail} * disk.f_frsize;
  room.total_bytes = uint64_t{disk.f_blocks} * disk.f_frsize;
  // Where it counts names at all.
  room.has_no_names = disk.f_files > 0 && disk.f_favail == 0;
  return room;
}

}  // namespace plz
