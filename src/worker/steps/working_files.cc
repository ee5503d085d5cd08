#include "worker/steps/working_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>

#include <fmt/core.h>

#include "base/text.h"
#include "os/beneath.h"
#include "os/fd.h"
#include "os/file.h"
#include "os/glob.h"
#include "wire/json_text.h"
#include "worker/steps/job_directory_access.h"

namespace plz {
namespace {

constexpr std::string_view kWorkingDirectory = "/src";
constexpr std::string_view kCaches[] = {"__pycache__", ".ipynb_checkpoints", ".mypy_cache", ".pytest_cache",
                                        ".ruff_cache"};
constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr size_t kMostListed = 5;
constexpr size_t kMostSuggested = 3;
constexpr uint64_t kMostLookedAt = 20'000;
constexpr uint64_t kMostCompared = 64u << 20;        // bytes, of what is not wanted
constexpr size_t kMostDepth = 100;                   // each level takes three descriptors
constexpr std::chrono::milliseconds kClockStep{20};  // file systems take the time of the last tick

struct CloseListing {
  void operator()(DIR* directory) const { closedir(directory); }
};

bool is_cache(std::string_view name) {
  return std::find(std::begin(kCaches), std::end(kCaches), name) != std::end(kCaches);
}

bool same_kind(const struct stat& a, const struct stat& b) { return (a.st_mode & S_IFMT) == (b.st_mode & S_IFMT); }

std::string target_of_link(int directory, const char* name) {
  char text[PATH_MAX];
  const ssize_t size = readlinkat(directory, name, text, sizeof text);
  return size < 0 ? std::string() : std::string(text, static_cast<size_t>(size));
}

class Taker {
 public:
  Taker(const WorkingPlaces& places, const std::vector<std::string>& outputs, const std::atomic<bool>* cancelled)
      : places_(places), cancelled_(cancelled) {
    for (const auto& pattern : outputs)
      if (auto glob = Glob::make(pattern, kWorkingDirectory)) globs_.push_back(std::move(*glob));
    for (const auto& cache : kCaches)
      for (const auto& pattern : outputs)
        if (pattern.find(cache) != pattern.npos) named_caches_.push_back(cache);
  }

  WorkingFiles take() {
    UniqueFd source = open_job_directory(AT_FDCWD, places_.copy.path.c_str());
    UniqueFd base(open(places_.code.c_str(), kFlags));
    Level root;
    root.source = source.get();
    root.base = base ? base.get() : -1;
    if (source) take_directory(root);
    else if (errno != ENOENT) note_failure(".", strerror(errno));
    return std::move(result_);
  }

 private:
  struct Level {
    Level* above = nullptr;
    int source = -1;
    int base = -1;  // none: it is new
    std::string name, path;
    size_t depth = 0;
    UniqueFd target;  // once it is needed
  };
  enum class Moved { yes, exists, failed };

  static std::string path_in(const Level& level, const std::string& name) {
    return level.path.empty() ? name : level.path + "/" + name;
  }
  bool is_wanted(const std::string& path) const {
    return std::any_of(globs_.begin(), globs_.end(), [&](const Glob& glob) { return glob.matches_or_covers(path); });
  }
  bool may_be_wanted_below(const std::string& path) const {
    return std::any_of(globs_.begin(), globs_.end(), [&](const Glob& glob) {
      return path.empty() || glob.may_match_below(path) || glob.matches_or_covers(path);
    });
  }
  bool is_left_out(const std::string& name) const {
    return is_cache(name) && std::find(named_caches_.begin(), named_caches_.end(), name) == named_caches_.end();
  }
  bool has_looked_enough() const { return looked_at_ >= kMostLookedAt; }

  std::vector<std::string> names_in(const Level& level) {
    std::vector<std::string> names;
    const bool all = may_be_wanted_below(level.path);
    // Of its own offset.
    std::unique_ptr<DIR, CloseListing> listing(fdopendir(openat(level.source, ".", kFlags)));
    if (!listing) result_.more = true;
    while (dirent* entry = listing ? readdir(listing.get()) : nullptr) {
      if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
      if (!all && looked_at_ + names.size() >= kMostLookedAt) {
        result_.more = true;
        break;
      }
      names.emplace_back(entry->d_name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  void take_directory(Level& level) {
    for (const auto& name : names_in(level)) {
      if (cancelled_ && *cancelled_) return;
      take_entry(level, name);
    }
  }

  void take_entry(Level& level, const std::string& name) {
    struct stat now {
    }, before{};
    if (fstatat(level.source, name.c_str(), &now, AT_SYMLINK_NOFOLLOW) != 0) return;
    ++looked_at_;
    const bool was_there = level.base >= 0 && fstatat(level.base, name.c_str(), &before, AT_SYMLINK_NOFOLLOW) == 0 &&
                           same_kind(now, before);
    const std::string path = path_in(level, name);
    const bool wanted = is_wanted(path);
    if (S_ISDIR(now.st_mode)) return take_subdirectory(level, name, path, wanted, was_there);
    // A socket, say, or what an overlay has for a file that was removed.
    if (!S_ISREG(now.st_mode) && !S_ISLNK(now.st_mode)) return;
    if (was_there && is_unchanged(level, name.c_str(), now, before, wanted)) return;
    if (wanted) note_move(path, move(level, name));
    else note_left(path, static_cast<uint64_t>(now.st_size));
  }

  void take_subdirectory(Level& level, const std::string& name, const std::string& path, bool wanted, bool was_there) {
    if (is_left_out(name)) return;
    if (wanted && !was_there) {
      const Moved moved = move(level, name);
      if (moved != Moved::exists) return note_move(path, moved);
      // The job has made a directory of this name in its output, too: they are joined.
    }
    if (has_looked_enough() && !may_be_wanted_below(path)) {
      result_.more = true;
      return;
    }
    if (level.depth >= kMostDepth) {
      if (may_be_wanted_below(path)) note_failure(path, "it lies too deep");
      else result_.more = true;
      return;
    }
    UniqueFd source = open_job_directory(level.source, name.c_str());
    UniqueFd base(was_there ? openat(level.base, name.c_str(), kFlags) : -1);
    if (!source) {
      if (may_be_wanted_below(path)) note_failure(path, strerror(errno));
      else result_.more = true;
      return;
    }
    Level below;
    below.above = &level;
    below.source = source.get();
    below.base = base ? base.get() : -1;
    below.name = name;
    below.path = path;
    below.depth = level.depth + 1;
    take_directory(below);
  }

  bool is_unchanged(const Level& level, const char* name, const struct stat& now, const struct stat& before,
                    bool wanted) {
    if (S_ISLNK(now.st_mode)) return target_of_link(level.source, name) == target_of_link(level.base, name);
    if (now.st_size != before.st_size) return false;
    return is_older_than_the_job(now.st_ctim) || has_same_bytes(level, name, now, wanted);
  }

  bool is_older_than_the_job(const timespec& changed) const {
    if (places_.copy.changes_only || !places_.started) return false;
    const auto when = std::chrono::seconds(changed.tv_sec) + std::chrono::nanoseconds(changed.tv_nsec);
    return when < places_.started->time_since_epoch() - kClockStep;
  }

  // Of what is not wanted, a little is compared: what is in a layer has been written to, and what was copied has not.
  bool has_same_bytes(const Level& level, const char* name, const struct stat& status, bool wanted) {
    const auto bytes = static_cast<uint64_t>(status.st_size);
    if (!wanted && compared_ + bytes > kMostCompared) return !places_.copy.changes_only;
    if (!wanted) compared_ += bytes;
    UniqueFd now = open_beneath(level.source, name, O_RDONLY | O_NONBLOCK);
    UniqueFd before = open_beneath(level.base, name, O_RDONLY | O_NONBLOCK);
    if (!now || !before) return false;
    std::string a(1 << 16, '\0'), b(1 << 16, '\0');
    for (;;) {
      const auto first = read_up_to(now.get(), a.data(), a.size()),
                 second = read_up_to(before.get(), b.data(), b.size());
      if (!first || !second || *first != *second || memcmp(a.data(), b.data(), *first) != 0) return false;
      if (*first == 0) return true;
      if (cancelled_ && *cancelled_) return false;
    }
  }

  Moved move(Level& level, const std::string& name) {
    const int target = target_of(level);
    if (target < 0) return errno == ENOTDIR || errno == ELOOP ? Moved::exists : Moved::failed;
    if (rename_to(level.source, target, name.c_str())) return Moved::yes;
    if (errno == EEXIST || errno == ENOTEMPTY) return Moved::exists;
    if (errno != EACCES && errno != EPERM) return Moved::failed;
    // The job took its own permission away.
    for (int directory : {level.source, target}) allow_writing(directory);
    UniqueFd moved(openat(level.source, name.c_str(), kFlags));
    struct stat status {};
    const bool restores = moved && fstat(moved.get(), &status) == 0;
    if (restores) allow_writing(moved.get());
    const bool done = rename_to(level.source, target, name.c_str());
    const int error = errno;
    if (restores) fchmod(moved.get(), status.st_mode & 07777);
    errno = error;
    return done ? Moved::yes : errno == EEXIST ? Moved::exists : Moved::failed;
  }

  static void allow_writing(int directory) {
    struct stat status {};
    if (fstat(directory, &status) == 0) (void)fchmod(directory, (status.st_mode & 07777) | 0700);
  }

  static bool rename_to(int from, int to, const char* name) {
    if (renameat2(from, name, to, name, RENAME_NOREPLACE) == 0) return true;
    // Not of every file system.
    if (errno != EINVAL && errno != ENOSYS) return false;
    struct stat status {};
    if (fstatat(to, name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
      errno = EEXIST;
      return false;
    }
    return renameat(from, name, to, name) == 0;
  }

  // -1: errno says why.
  int target_of(Level& level) {
    if (level.target) return level.target.get();
    if (!level.above) {
      if (mkdir(places_.output.c_str(), 0777) != 0 && errno != EEXIST) return -1;
      level.target = open_job_directory(AT_FDCWD, places_.output.c_str());
      return level.target ? level.target.get() : -1;
    }
    const int above = target_of(*level.above);
    if (above < 0) return -1;
    struct stat status {};
    const bool is_new = mkdirat(above, level.name.c_str(), 0700) == 0;
    level.target = open_job_directory(above, level.name.c_str());
    if (level.target && is_new && fstat(level.source, &status) == 0)
      (void)fchmod(level.target.get(), (status.st_mode & 0777) | 0700);
    return level.target ? level.target.get() : -1;
  }

  void note_move(const std::string& path, Moved moved) {
    if (moved == Moved::failed) return note_failure(path, strerror(errno));
    if (moved == Moved::yes) {
      ++result_.kept;
      return;
    }
    ++result_.collided;
    if (result_.collisions.size() < kMostListed) result_.collisions.push_back(path);
  }

  void note_failure(const std::string& path, const char* why) {
    ++result_.failed;
    if (result_.failures.size() < kMostListed) result_.failures.push_back(path + ": " + why);
  }

  void note_left(const std::string& path, uint64_t bytes) {
    ++result_.left;
    result_.left_bytes += bytes;
    auto& largest = result_.largest;
    const auto place = std::find_if(largest.begin(), largest.end(), [&](const auto& one) { return one.bytes < bytes; });
    largest.insert(place, {path, bytes});
    if (largest.size() > kMostListed) largest.pop_back();
  }

  const WorkingPlaces& places_;
  const std::atomic<bool>* cancelled_;
  std::vector<Glob> globs_;
  std::vector<std::string_view> named_caches_;
  uint64_t looked_at_ = 0, compared_ = 0;
  WorkingFiles result_;
};

std::string listed(const std::vector<std::string>& paths, uint64_t count) {
  std::string text;
  for (size_t i = 0; i < paths.size(); ++i) text += (i ? ", " : "") + printable(paths[i]);
  if (count > paths.size()) text += fmt::format(" and {} more", count - paths.size());
  return text;
}

// The patterns that would keep the largest.
std::string suggestion(const std::vector<WorkingFiles::Left>& largest) {
  std::vector<std::string> names;
  for (const auto& file : largest) {
    std::string name = file.path.substr(0, file.path.find('/'));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  }
  if (names.size() > kMostSuggested) names = {"."};
  std::string json;
  for (const auto& name : names) json += (json.empty() ? "" : ", ") + quote_json(printable(name));
  return "[" + json + "]";
}

std::string left_note(const WorkingFiles& files) {
  std::vector<std::string> names;
  for (const auto& file : files.largest)
    names.push_back(fmt::format("{} ({})", printable(file.path), human_bytes(file.bytes)));
  std::string list;
  for (size_t i = 0; i < names.size(); ++i) list += (i ? ", " : "") + names[i];
  if (files.left > names.size())
    list += fmt::format(" and {}{} more, {}{} in all", files.more ? "at least " : "", files.left - names.size(),
                        files.more ? "at least " : "", human_bytes(files.left_bytes));
  else if (files.more) list += ", and perhaps others";
  return fmt::format(
      "Gone with the job's working directory: {}; \"outputs\": {} in plz.config.json, or --outputs, "
      "would keep such files",
      list, suggestion(files.largest));
}

}  // namespace

WorkingFiles take_working_files(const WorkingPlaces& places, const std::vector<std::string>& outputs,
                                const std::atomic<bool>* cancelled) {
  return Taker(places, outputs, cancelled).take();
}

std::vector<std::string> working_file_notes(const WorkingFiles& files) {
  std::vector<std::string> notes;
  if (files.left > 0) notes.push_back(left_note(files));
  else if (files.more)
    notes.push_back(
        "The job's working directory holds more than is looked at: what it made there and \"outputs\" does not name is "
        "gone with it");
  if (files.collided > 0)
    notes.push_back(fmt::format("The output has files of its own in place of these of the working directory: {}",
                                listed(files.collisions, files.collided)));
  if (files.failed > 0)
    notes.push_back(fmt::format("Not all of the working directory that was wanted could be kept: {}",
                                listed(files.failures, files.failed)));
  return notes;
}

}  // namespace plz
