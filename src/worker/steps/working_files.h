// What a job left in its working directory, a private copy of its code that is removed with the attempt: what of it
// belongs to the output goes there, and the rest is told of.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "runtime/runtime.h"

namespace plz {

struct WorkingPlaces {
  WorkingCopy copy;
  std::string code;                  // as captured; not there: nothing was
  std::string output;                // made if it is not there
  std::optional<Timestamp> started;  // the job: what has not changed since is as it was copied
};

// Lists hold the first few; counts are of all.
struct WorkingFiles {
  struct Left {
    std::string path;
    uint64_t bytes = 0;
  };
  std::vector<Left> largest;  // of the files and links that are not kept, the largest first
  uint64_t left = 0, left_bytes = 0;
  bool more = false;                    // there may be others: not all was looked at
  std::vector<std::string> collisions;  // in the output there is something else of this path, which stays
  uint64_t collided = 0;
  std::vector<std::string> failures;  // "PATH: what failed"
  uint64_t failed = 0;
  uint64_t kept = 0;  // files, links, and directories that were moved as a whole
};

// Moves what the job made or changed, and what matches `outputs` (os/glob.h; "." is all), to the same path below the
// output directory. By content and target of links: a mode alone is no change. Caches of interpreters and tools are
// neither kept nor counted, unless a pattern names them or they lie in a directory that is kept whole. Safe
// against links: nothing is opened but beneath descriptors of both directories. Done again after it was cut short,
// it goes on. What is not wanted is looked at up to a number of entries only. `cancelled` may become true in another
// thread.
WorkingFiles take_working_files(const WorkingPlaces& places, const std::vector<std::string>& outputs,
                                const std::atomic<bool>* cancelled = nullptr);

// What is to be said of it, a sentence each; for a person who ran the job.
std::vector<std::string> working_file_notes(const WorkingFiles& files);

}  // namespace plz
