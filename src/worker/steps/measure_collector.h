// Finds what a job writes into its measures directories, while it runs and once more at its end.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "os/fd.h"
#include "worker/steps/measure_log.h"

namespace plz {

// Larger files are not read: their value says how large they are.
inline constexpr uint64_t kMaxMeasureBytes = 64u << 20;
// A file that nobody has closed is taken when nothing changed in it for this long, and then only if it
// is JSON; one that was closed and is not JSON, when nothing changed for this long. So neither half of a
// text nor what stands in a file between two writes is reported as broken. An empty file is a measure
// only at the end.
inline constexpr std::chrono::milliseconds kMeasureQuietTime{200};

struct MeasureRoot {
  std::string directory;
  std::optional<int64_t> index;
};

// Not thread-safe. Follows no links, and reads nothing but plain files. Names that are not UTF-8 are
// escaped; content that is not JSON becomes {"base64_bytes": …}.
class MeasureCollector {
 public:
  MeasureCollector(std::vector<MeasureRoot> roots, MeasureLog& log, const Clock& clock);

  // What was read by an earlier worker.
  void know(const MeasureEvent& event, const MeasureStamp& stamp);
  // Begins to watch: with inotify where it can be had, else by looking again and again.
  void watch();
  // Blocks for some ten milliseconds, in the kernel.
  void stop_watching();
  // Readable when something happened; -1 if only looking tells.
  int watch_fd() const { return inotify_.get(); }
  // Wakes watch_fd() also when this file grows.
  void watch_file(const std::string& path);

  // Appends what was written since to the log. Not `final`: files that are complete, as far as can be
  // told. `final`, once nobody writes any more: all.
  Result<void> collect(bool final);
  // Something was seen that is not complete yet, or can only be seen by looking: collect() again soon.
  bool is_waiting() const { return !pending_.empty() || !inotify_; }

 private:
  struct Pending {
    size_t root = 0;
    bool closed = false;   // by who wrote it last
    bool refused = false;  // not JSON as it stands, or opened again
    std::optional<MeasureStamp> stamp;
    SteadyTime since;
  };
  struct Watched {
    size_t root = 0;
    std::string path;  // relative, "" or ending in '/'
    bool is_directory = true;
  };

  std::string key(size_t root, std::string_view path) const { return std::to_string(root) + "/" + std::string(path); }
  void add_watch(size_t root, const std::string& path);
  void drain_events();
  void handle_event(const Watched& where, uint32_t mask, const std::string& name);
  void scan(size_t root, const std::string& path, bool watch, bool closed);
  void scan_all(bool watch, bool closed);
  void note(size_t root, std::string path, bool closed);
  Result<bool> take(const std::string& path, Pending& pending, bool final);
  // `as_it_is`: also what is not JSON.
  Result<void> read(int fd, const std::string& path, const Pending& pending, MeasureStamp stamp, bool as_it_is,
                    bool& complete);

  const std::vector<MeasureRoot> roots_;
  MeasureLog& log_;
  const Clock& clock_;
  UniqueFd inotify_;
  std::map<int, Watched> watched_;
  std::unordered_map<std::string, MeasureStamp> known_;  // by key
  std::map<std::string, Pending> pending_;               // by key
  SteadyTime last_scan_;
  std::chrono::microseconds scan_interval_{0};
};

// The value of a file with this content.
JsonText measure_value(std::string content);

}  // namespace plz
