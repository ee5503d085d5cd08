// Which parts of the host's view are covered by something else, and in which order to mount that so
// that the deepest word about a path is the one that counts.
#pragma once

#include <string>
#include <vector>

namespace plz {

enum class CoverKind {
  private_directory,  // an empty one of the job's own
  hidden,             // nothing to be seen
  visible,            // the host's, read-only, although something above covers it
  writable,           // a directory of the host, in place of what is there
};

struct PathCover {
  CoverKind kind;
  std::string path;    // absolute, resolved
  std::string source;  // of private_directory and writable; of visible, where it differs from path
  bool operator==(const PathCover&) const = default;
};

// Sorted from the root down, without those that change nothing: hiding what is covered already, showing
// what nothing covers. Of two about one path the stricter stays: hidden before all else.
std::vector<PathCover> plan_covers(std::vector<PathCover> covers);

}  // namespace plz
