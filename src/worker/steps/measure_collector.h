// Finds what a job writes into its measures directories, while it runs and once more at its end.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "worker/steps/measure_log.h"
#include "worker/steps/measure_watcher.h"

namespace plz {

// Larger files are not read: their value says how large they are.
inline constexpr uint64_t kMaxMeasureBytes = 64u << 20;
// A file that nobody has closed is taken when nothing changed in it for this long, and then only if it
// is JSON; one that was closed and is not JSON, when nothing changed for this long. So neither half of a
// text nor what stands in a file between two writes is reported as broken. An empty file is a measure
// only at the end.
inline constexpr std::chrono::milliseconds kMeasureQuietTime{200};

// Not thread-safe. Follows no links, and reads nothing but plain files. Names that are not UTF-8 are
// escaped; content that is not JSON becomes {"base64_bytes": …}.
class MeasureCollector {
 public:
  // `directory` holds all the roots. It may be made later.
  MeasureCollector(std::string directory, std::vector<MeasureRoot> roots, MeasureLog& log, const Clock& clock,
                   const MeasureLimits& limits = {});

  // What was read by an earlier worker.
  void know(const MeasureEvent& event, const MeasureStamp& stamp);
  // Begins to watch: with inotify where it can be had, else by looking again and again.
  void watch();
  // Blocks for some ten milliseconds, in the kernel.
  void stop_watching() { watcher_.end(); }
  // Readable when something happened; -1 if only looking tells.
  int watch_fd() const { return watcher_.fd(); }
  // Wakes watch_fd() also when this file grows.
  void watch_file(const std::string& path) { watcher_.watch_file(path); }

  // Appends what was written since to the log: files that are complete, as far as can be told. Takes a moment's work
  // at most; is_behind() tells that there is more.
  Result<void> collect();
  // Once nobody writes any more: all that there is, within the limits. cancelled when `stop` asks.
  Result<void> collect_rest(const std::stop_token& stop = {});
  bool is_behind() const { return is_behind_; }
  // Something was seen that is not complete yet, or can only be seen by looking: collect() again soon.
  bool is_waiting() const { return is_behind_ || !pending_.empty() || watcher_.fd() < 0; }

  // What was not kept, and why, for the outcome's reason; "": all was.
  std::string left_out() const;

 private:
  struct Pending {
    size_t root = 0;
    std::string path;      // below the root, as the file system has it
    bool closed = false;   // by who wrote it last
    bool refused = false;  // not JSON as it stands, or opened again
    std::optional<MeasureStamp> stamp;
    SteadyTime since;                      // nothing has changed
    SteadyTime due = SteadyTime::max();    // when it is looked at, by the agenda; max(): it is not in there
    std::chrono::milliseconds patience{};  // between looks at what is refused
  };

  std::string key(size_t root, std::string_view path) const { return std::to_string(root) + "/" + std::string(path); }
  void seen(size_t root, std::string path, bool closed, const struct stat* status);
  // No later than `due`.
  void schedule(const std::string& key, Pending& pending, SteadyTime due);
  Result<void> take_due(SteadyTime until);
  Result<void> take_all(const std::stop_token& stop);
  Result<bool> take(const std::string& key, Pending& pending, bool final);
  bool cannot_open(const Pending& pending, int error_number, bool final);
  // `as_it_is`: also what is not JSON.
  Result<void> read(int fd, const Pending& pending, MeasureStamp stamp, bool as_it_is, bool& complete);
  bool has_room_for(const MeasureEvent& event, const MeasureStamp& stamp, bool as_it_is);

  const std::vector<MeasureRoot> roots_;
  const MeasureLimits limits_;
  MeasureLog& log_;
  const Clock& clock_;
  MeasureWatcher watcher_;
  std::unordered_map<std::string, MeasureStamp> known_;  // by key
  std::unordered_map<std::string, Pending> pending_;     // by key
  std::multimap<SteadyTime, std::string> agenda_;        // of keys; an entry that is not due by then is old
  std::map<std::optional<int64_t>, size_t> root_of_;     // by index
  uint64_t bytes_ = 0;
  bool too_many_files_ = false, too_many_bytes_ = false;
  size_t unreadable_ = 0;
  std::string unreadable_reason_;
  bool is_behind_ = false;
};

// The value of a file with this content.
JsonText measure_value(std::string content);

}  // namespace plz
