#include "worker/steps/measure_collector.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include <fmt/core.h>

#include "base/log.h"
#include "base/text.h"
#include "os/file.h"
#include "wire/json_text.h"

namespace plz {
namespace {

constexpr uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_MODIFY | IN_ONLYDIR | IN_DONT_FOLLOW;
constexpr size_t kFlushBytes = 1u << 20;
// Looking costs a twentieth of a processor at most.
constexpr int kScanShare = 20;
constexpr std::chrono::milliseconds kShortestScanInterval{500};
// Deeper than a path can be named.
constexpr size_t kLongestPath = 4'000;

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

MeasureStamp stamp_of(const struct stat& status) {
  auto nanoseconds = [](const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; };
  return {status.st_ino, static_cast<uint64_t>(status.st_size), nanoseconds(status.st_mtim),
          nanoseconds(status.st_ctim), 0};
}

std::string text_of(const std::string& path) { return is_valid_utf8(path) ? path : printable(path); }

}  // namespace

JsonText measure_value(std::string content) {
  if (is_measure_json(content)) {
    content.erase(static_cast<size_t>(trim(content).end() - std::string_view(content).begin()));
    content.erase(0, static_cast<size_t>(trim(content).begin() - std::string_view(content).begin()));
    return {std::move(content)};
  }
  return {"{\"base64_bytes\": \"" + base64(content) + "\"}"};
}

MeasureCollector::MeasureCollector(std::vector<MeasureRoot> roots, MeasureLog& log, const Clock& clock)
    : roots_(std::move(roots)), log_(log), clock_(clock) {}

void MeasureCollector::know(const MeasureEvent& event, const MeasureStamp& stamp) {
  for (size_t root = 0; root < roots_.size(); ++root)
    if (roots_[root].index == event.index) known_[key(root, event.path)] = stamp;
}

void MeasureCollector::watch() {
  inotify_.reset(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  scan_all(true, false);
}

void MeasureCollector::stop_watching() {
  inotify_.reset();
  watched_.clear();
}

void MeasureCollector::watch_file(const std::string& path) {
  if (!inotify_) return;
  int watch = inotify_add_watch(inotify_.get(), path.c_str(), IN_MODIFY);
  if (watch >= 0) watched_[watch] = {0, path, false};
}

void MeasureCollector::add_watch(size_t root, const std::string& path) {
  if (!inotify_) return;
  int watch = inotify_add_watch(inotify_.get(), join_path(roots_[root].directory, path).c_str(), kEvents);
  if (watch >= 0) watched_[watch] = {root, path, true};
  else if (errno == ENOSPC || errno == ENOMEM) inotify_.reset();  // the user's watches are used up: look instead
}

void MeasureCollector::drain_events() {
  alignas(inotify_event) char buffer[16u << 10];
  while (inotify_) {
    ssize_t size = ::read(inotify_.get(), buffer, sizeof buffer);
    if (size <= 0) return;
    for (ssize_t at = 0; inotify_ && at < size;) {
      inotify_event event;
      memcpy(&event, buffer + at, sizeof event);
      std::string name = event.len > 0 ? std::string(buffer + at + sizeof event) : "";
      at += static_cast<ssize_t>(sizeof event + event.len);
      if (event.mask & IN_Q_OVERFLOW) scan_all(true, false);
      auto where = watched_.find(event.wd);
      if (where == watched_.end()) continue;
      if (event.mask & IN_IGNORED) watched_.erase(where);
      else if (where->second.is_directory) handle_event(Watched(where->second), event.mask, name);
    }
  }
}

void MeasureCollector::handle_event(const Watched& where, uint32_t mask, const std::string& name) {
  if (name.empty()) return;
  std::string path = where.path + name;
  if (mask & IN_ISDIR) {
    // What was written into it before the watch stood is found by looking.
    if (mask & (IN_CREATE | IN_MOVED_TO)) scan(where.root, path + "/", true, (mask & IN_MOVED_TO) != 0);
  } else {
    note(where.root, std::move(path), (mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0);
  }
}

void MeasureCollector::note(size_t root, std::string path, bool closed) {
  auto [pending, added] = pending_.try_emplace(key(root, path));
  pending->second.root = root;
  pending->second.closed = closed;
  if (added) pending->second.since = clock_.steady();
}

void MeasureCollector::scan_all(bool watch, bool closed) {
  const SteadyTime begun = clock_.steady();
  for (size_t root = 0; root < roots_.size(); ++root) scan(root, "", watch, closed);
  last_scan_ = clock_.steady();
  scan_interval_ = std::max<std::chrono::microseconds>(
      kShortestScanInterval, std::chrono::duration_cast<std::chrono::microseconds>(last_scan_ - begun) * kScanShare);
}

void MeasureCollector::scan(size_t root, const std::string& path, bool watch, bool closed) {
  std::vector<std::string> directories = {path};
  while (!directories.empty()) {
    std::string directory = std::move(directories.back());
    directories.pop_back();
    if (directory.size() > kLongestPath) continue;
    if (watch) add_watch(root, directory);
    std::string full = join_path(roots_[root].directory, directory);
    int fd = ::open(full.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) continue;
    std::unique_ptr<DIR, CloseDirectory> listing(fdopendir(fd));
    while (dirent* entry = listing ? readdir(listing.get()) : nullptr) {
      std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      struct stat status {};
      if (fstatat(fd, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
      if (S_ISDIR(status.st_mode)) directories.push_back(directory + name + "/");
      if (!S_ISREG(status.st_mode)) continue;
      auto known = known_.find(key(root, text_of(directory + name)));
      if (known == known_.end() || !known->second.same_file_state(stamp_of(status)))
        note(root, directory + name, closed);
    }
  }
}

Result<void> MeasureCollector::collect(bool final) {
  drain_events();
  if (final) scan_all(false, true);
  else if (!inotify_ && clock_.steady() - last_scan_ >= scan_interval_) scan_all(false, false);
  for (auto next = pending_.begin(); next != pending_.end();) {
    auto current = next++;
    PLZ_ASSIGN(bool done, take(current->first.substr(current->first.find('/') + 1), current->second, final));
    if (done) pending_.erase(current);
    if (log_.unflushed_bytes() >= kFlushBytes) PLZ_TRY(log_.flush());
  }
  return log_.flush();
}

// Whether there is no more to do about the file.
Result<bool> MeasureCollector::take(const std::string& path, Pending& pending, bool final) {
  std::string full = join_path(roots_[pending.root].directory, path);
  UniqueFd file(::open(full.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status {};
  if (!file || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return true;
  MeasureStamp stamp = stamp_of(status);
  // Emptied, to be written anew: that will be seen, and so will be a file that stays so, at the end.
  if (stamp.bytes == 0 && !final) return true;
  const bool changed = !pending.stamp || !pending.stamp->same_file_state(stamp);
  if (changed) {
    pending.stamp = stamp;
    pending.since = clock_.steady();
    pending.refused = false;
  }
  const bool quiet = clock_.steady() - pending.since >= kMeasureQuietTime;
  if (!final && !pending.closed && (!quiet || pending.refused)) return false;
  if (!final && pending.closed && pending.refused && !quiet) return false;
  bool complete = true;
  PLZ_TRY(read(file.get(), path, pending, stamp, final || (pending.closed && quiet), complete));
  pending.refused = !complete;
  return complete || final;
}

Result<void> MeasureCollector::read(int fd, const std::string& path, const Pending& pending, MeasureStamp stamp,
                                    bool as_it_is, bool& complete) {
  MeasureEvent event;
  event.path = text_of(path);
  event.index = roots_[pending.root].index;
  event.time = clock_.now();
  if (stamp.bytes > kMaxMeasureBytes) {
    event.value.text = fmt::format("{{\"omitted_bytes\": {}}}", stamp.bytes);
  } else {
    std::string content(stamp.bytes, '\0');
    auto size = pread_up_to(fd, content.data(), content.size(), 0);
    if (!size) {
      log_warning("a measure cannot be read: {}: {}", printable(path), size.error().message);
      return {};
    }
    content.resize(*size);
    stamp.content_hash = std::hash<std::string_view>()(content);
    // What was closed may have been opened again while it was read.
    const bool closed = pending.closed;
    if (!as_it_is && closed) drain_events();
    complete = as_it_is || (pending.closed == closed && is_measure_json(content));
    if (!complete) return {};
    event.value = measure_value(std::move(content));
  }
  auto [known, is_new] = known_.try_emplace(key(pending.root, event.path));
  if (!is_new && known->second.same_file_state(stamp) && known->second.content_hash == stamp.content_hash) return {};
  auto kept = log_.add(event, stamp);
  if (kept) known->second = stamp;
  else if (is_new) known_.erase(known);
  return kept;
}

}  // namespace plz
