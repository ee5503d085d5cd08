// Finds which files a job writes into its measures directories: by inotify where it can be had, and by
// looking. Everything is opened beneath one descriptor of the directory of them all, for the job may at any
// time put a link in the place of anything that lies in it.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "os/fd.h"
#include "worker/steps/measure_limits.h"

namespace plz {

// Where measures of one kind lie.
struct MeasureRoot {
  std::string path;  // below the directory of all measures: "", or a name with a '/' behind
  std::optional<int64_t> index;
};

// Not thread-safe.
class MeasureWatcher {
 public:
  // A file that was written, by its path below the root. `closed` by who wrote it, as far as is known; `status` where
  // it was found by looking.
  using Seen = std::function<void(size_t root, std::string path, bool closed, const struct stat* status)>;

  MeasureWatcher(std::string directory, const std::vector<MeasureRoot>& roots, const MeasureLimits& limits,
                 const Clock& clock, Seen seen);

  // Begins to watch, and asks for a look at all that is there.
  void begin();
  // Blocks for some ten milliseconds, in the kernel.
  void end();
  // Readable when something happened; -1 if only looking tells.
  int fd() const { return inotify_.get(); }
  // Wakes fd() also when this file grows.
  void watch_file(const std::string& path);

  // Takes what the kernel has to tell.
  void drain();
  // Looks at what drain() asks for, and at all again where only looking tells; after `until` the rest is left for
  // the next call.
  void look(SteadyTime until);
  // Looks at everything, once nobody writes any more, unless `stop` asks for an end.
  void look_at_all(const std::stop_token& stop);
  bool has_to_look() const { return !to_list_.empty(); }

  // Never blocks, whatever has taken the file's place. No descriptor: errno says why.
  UniqueFd open(size_t root, std::string_view path);

  bool has_too_many_directories() const { return too_many_; }
  bool is_too_deep() const { return too_deep_; }

 private:
  struct Directory {
    size_t root = 0;
    std::string path;    // relative to the root, "" or ending in '/'
    bool again = false;  // also if it is watched already
    bool closed = false;
  };
  struct Watched {
    size_t root = 0;
    std::string path;
    bool is_directory = true;
  };

  bool open_top();
  std::string below_top(size_t root, std::string_view path) const;
  void handle(const Watched& where, uint32_t mask, std::string name);
  void ask_for_all(bool closed);
  void list_next();
  // False: it is watched already, by this name.
  bool add_watch(const Directory& directory, int fd);
  void add_child(const Directory& parent, const std::string& name);

  const std::string directory_;
  const std::vector<MeasureRoot>& roots_;
  const MeasureLimits& limits_;
  const Clock& clock_;
  const Seen seen_;
  UniqueFd top_;
  UniqueFd inotify_;
  std::unordered_map<int, Watched> watched_;
  std::vector<Directory> to_list_;
  size_t found_ = 0;      // directories, since everything was asked for
  int moves_ = 0;         // of directories, since all was looked at that was asked for
  bool is_lost_ = false;  // what happened, as the kernel has told too little, or too much
  bool too_many_ = false, too_deep_ = false;
  SteadyTime look_began_, next_look_;
  bool looks_at_all_ = false;
};

}  // namespace plz
