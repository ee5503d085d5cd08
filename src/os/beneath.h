// Opens what lies below a root by relative paths of any length, never through a symbolic link: what
// somebody swaps under our feet cannot lead us out of the root. For everything that another may write
// to: a directory that a job has, a tree that is captured.
//
// By openat2(2) where the kernel has it (5.6) and permits it, else name by name: both refuse the same.
#pragma once

#include <string>
#include <string_view>

#include "os/fd.h"

namespace plz {

// The directory at `path`; "" is the root itself. No descriptor: errno says why (ELOOP or ENOTDIR for a
// link on the way, EXDEV for a path that is absolute or has "..").
UniqueFd open_directory_beneath(int root, std::string_view path);

// As open(2) with `flags`, O_NOFOLLOW and O_CLOEXEC; `mode` of what O_CREAT makes. ELOOP: it is a link.
// What is opened may still be a pipe or a device: pass O_NONBLOCK, and look.
UniqueFd open_beneath(int root, std::string_view path, int flags, unsigned mode = 0);

// A path to what is open, for calls that take nothing else, as inotify_add_watch(2) and chmod(2) of an
// O_PATH descriptor do. It is a link: to be followed.
std::string path_of_descriptor(int fd);

}  // namespace plz
