#include "worker/steps/measure_watcher.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "os/beneath.h"

namespace plz {
namespace {

constexpr uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_MODIFY | IN_ONLYDIR;
// Looking costs a twentieth of a processor at most.
constexpr int kLookShare = 20;
constexpr std::chrono::milliseconds kShortestLookInterval{500};
constexpr size_t kLongestPath = 4'000;
// Whoever moves directories more often between two looks has all looked at in turn.
constexpr int kMostMoves = 64;

struct CloseWatchListing {
  void operator()(DIR* listing) const { closedir(listing); }
};

}  // namespace

MeasureWatcher::MeasureWatcher(std::string directory, const std::vector<MeasureRoot>& roots,
                               const MeasureLimits& limits, const Clock& clock, Seen seen)
    : directory_(std::move(directory)), roots_(roots), limits_(limits), clock_(clock), seen_(std::move(seen)) {}

void MeasureWatcher::begin() {
  inotify_.reset(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  ask_for_all(false);
}

void MeasureWatcher::end() {
  inotify_.reset();
  watched_.clear();
}

void MeasureWatcher::watch_file(const std::string& path) {
  if (!inotify_) return;
  int watch = inotify_add_watch(inotify_.get(), path.c_str(), IN_MODIFY);
  if (watch >= 0) watched_[watch] = {0, path, false};
}

// Its own path cannot be changed from inside a sandbox.
bool MeasureWatcher::open_top() {
  if (!top_) top_.reset(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  return static_cast<bool>(top_);
}

std::string MeasureWatcher::below_top(size_t root, std::string_view path) const {
  return roots_[root].path + std::string(path);
}

UniqueFd MeasureWatcher::open(size_t root, std::string_view path) {
  if (!open_top()) return UniqueFd();
  return open_beneath(top_.get(), below_top(root, path), O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

void MeasureWatcher::drain() {
  alignas(inotify_event) char buffer[64u << 10];
  while (inotify_) {
    ssize_t size = ::read(inotify_.get(), buffer, sizeof buffer);
    if (size <= 0) return;
    for (ssize_t at = 0; at < size;) {
      inotify_event event;
      memcpy(&event, buffer + at, sizeof event);
      std::string name = event.len > 0 ? std::string(buffer + at + sizeof event) : "";
      at += static_cast<ssize_t>(sizeof event + event.len);
      if (event.mask & IN_Q_OVERFLOW) is_lost_ = true;
      auto where = watched_.find(event.wd);
      if (where == watched_.end()) continue;
      if (event.mask & IN_IGNORED) watched_.erase(where);
      else if (where->second.is_directory && !name.empty()) handle(where->second, event.mask, std::move(name));
    }
  }
}

void MeasureWatcher::handle(const Watched& where, uint32_t mask, std::string name) {
  if (!(mask & IN_ISDIR)) {
    seen_(where.root, where.path + name, (mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0, nullptr);
  } else if (mask & (IN_CREATE | IN_MOVED_TO)) {
    // What was written into it before the watch stood is found by looking. One that was moved has all of its
    // directories under new names.
    const bool moved = (mask & IN_MOVED_TO) != 0;
    if (moved && ++moves_ > kMostMoves) is_lost_ = true;
    else add_child({where.root, where.path, moved, moved}, name);
  }
}

void MeasureWatcher::ask_for_all(bool closed) {
  to_list_.clear();
  // The job may have put another in its place.
  top_.reset();
  for (size_t root = roots_.size(); root-- > 0;) to_list_.push_back({root, "", true, closed});
  found_ = 0;
  is_lost_ = false;
  looks_at_all_ = true;
  look_began_ = clock_.steady();
}

void MeasureWatcher::look(SteadyTime until) {
  const bool only_looking_tells = !inotify_ || is_lost_;
  if (to_list_.empty() && only_looking_tells && clock_.steady() >= next_look_) ask_for_all(false);
  while (!to_list_.empty()) {
    list_next();
    if (clock_.steady() > until) return;
  }
  moves_ = 0;
  if (!std::exchange(looks_at_all_, false)) return;
  const SteadyTime now = clock_.steady();
  next_look_ = now + std::max<std::chrono::nanoseconds>(kShortestLookInterval, (now - look_began_) * kLookShare);
}

void MeasureWatcher::look_at_all(const std::stop_token& stop) {
  ask_for_all(true);
  while (!to_list_.empty() && !stop.stop_requested()) list_next();
}

void MeasureWatcher::list_next() {
  const Directory directory = std::move(to_list_.back());
  to_list_.pop_back();
  UniqueFd fd;
  if (open_top()) fd = open_directory_beneath(top_.get(), below_top(directory.root, directory.path));
  if (!fd) return;  // gone, or something else has its name
  if (!add_watch(directory, fd.get()) && !directory.again) return;
  std::unique_ptr<DIR, CloseWatchListing> listing(fdopendir(fd.get()));
  if (!listing) return;
  fd.release();
  while (dirent* entry = readdir(listing.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (entry->d_type == DT_DIR) add_child(directory, name);
    if (entry->d_type != DT_REG && entry->d_type != DT_UNKNOWN) continue;
    struct stat status {};
    if (fstatat(dirfd(listing.get()), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISDIR(status.st_mode)) add_child(directory, name);
    else if (S_ISREG(status.st_mode)) seen_(directory.root, directory.path + name, directory.closed, &status);
  }
}

bool MeasureWatcher::add_watch(const Directory& directory, int fd) {
  if (!inotify_) return true;
  int watch = inotify_add_watch(inotify_.get(), path_of_descriptor(fd).c_str(), kEvents);
  if (watch < 0) {
    if (errno == ENOSPC || errno == ENOMEM) end();  // the user's watches are used up: look instead
    return true;
  }
  auto [known, is_new] = watched_.try_emplace(watch, Watched{directory.root, directory.path, true});
  if (is_new) return true;
  const bool same = known->second.root == directory.root && known->second.path == directory.path;
  if (!same) known->second = {directory.root, directory.path, true};
  return !same;
}

void MeasureWatcher::add_child(const Directory& parent, const std::string& name) {
  Directory child{parent.root, parent.path + name + "/", parent.again, parent.closed};
  const auto depth = static_cast<size_t>(std::count(child.path.begin(), child.path.end(), '/'));
  if (depth > limits_.depth || child.path.size() > kLongestPath) {
    too_deep_ = true;
  } else if (looks_at_all_ ? found_ >= limits_.directories
                           : watched_.size() + to_list_.size() >= limits_.directories + roots_.size()) {
    too_many_ = true;
  } else {
    ++found_;
    to_list_.push_back(std::move(child));
  }
}

}  // namespace plz
