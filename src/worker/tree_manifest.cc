#include "worker/tree_manifest.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include <fmt/core.h>

#include "base/text.h"
#include "base/threads.h"
#include "os/beneath.h"
#include "os/file.h"

namespace plz {
namespace {

constexpr uint64_t kMostManifestBytes = 16ull << 30;
constexpr size_t kEntriesAtOnce = 1000;
constexpr size_t kMostLookers = 4;

struct CloseTreeListing {
  void operator()(DIR* listing) const { closedir(listing); }
};

int64_t nanoseconds(const timespec& time) { return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

timespec timespec_of(FileTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return {static_cast<time_t>(seconds.time_since_epoch().count()), static_cast<long>((time - seconds).count())};
}

std::string described(const std::string& directory, const char* name, const char* what) {
  const std::string path = *name ? (directory.empty() ? name : join_path(directory, name)) : "its directory";
  return printable(path) + " " + what;
}

// What a manifest begins with, and how long that is.
struct HeadLine {
  long long time = 0;
  unsigned long long entries = 0, names = 0;
  uint64_t bytes = 0;
};

std::optional<HeadLine> read_head(int file) {
  constexpr size_t kMostHeadBytes = 100;
  char text[kMostHeadBytes + 1] = {};
  HeadLine head;
  int bytes = 0;
  if (!read_up_to(file, text, kMostHeadBytes)) return std::nullopt;
  if (sscanf(text, "plz-tree 1 %lld %llu %llu%n", &head.time, &head.entries, &head.names, &bytes) != 3 ||
      text[bytes] != '\n')
    return std::nullopt;
  head.bytes = static_cast<uint64_t>(bytes) + 1;
  return head;
}

}  // namespace

FileTime file_time_now() { return std::chrono::system_clock::now(); }

class TreeManifest::Recorder {
 public:
  Recorder(TreeManifest& manifest, const std::stop_token& stop) : manifest_(manifest), stop_(stop) {
    times_[0] = {0, UTIME_OMIT};
    times_[1] = timespec_of(manifest.time_);
  }

  Result<void> record(const std::string& tree) {
    PLZ_ASSIGN(const UniqueFd root, open_file(tree, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if (futimens(root.get(), times_) != 0) return fail_errno("cannot set the time of " + printable(tree));
    struct stat status {};
    if (fstat(root.get(), &status) != 0) return fail_errno("cannot look at " + printable(tree));
    add(status, 0, "");
    directories_.push_back("");
    for (uint32_t index = 0; !directories_.empty(); ++index) {
      auto recorded = record_directory(root.get(), index, directories_.front());
      if (!recorded) return fail(std::move(recorded).error().with_context(printable(tree)));
      directories_.pop_front();
    }
    return {};
  }

 private:
  Result<void> record_directory(int root, uint32_t index, const std::string& path) {
    UniqueFd fd = open_directory_beneath(root, path);
    if (!fd && errno == EACCES) return {};
    const std::unique_ptr<DIR, CloseTreeListing> listing(fd ? fdopendir(fd.get()) : nullptr);
    if (!listing) return fail_errno("cannot list " + printable(path));
    fd.release();
    while (const dirent* entry = readdir(listing.get())) {
      if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
      if (stop_.stop_requested()) return fail(ErrorCode::cancelled, "stopped while its files were looked at");
      PLZ_TRY(record_entry(dirfd(listing.get()), index, path, entry->d_name));
    }
    return {};
  }

  Result<void> record_entry(int directory, uint32_t index, const std::string& path, const char* name) {
    struct stat status {};
    if (utimensat(directory, name, times_, AT_SYMLINK_NOFOLLOW) != 0 ||
        fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
      return fail_errno("cannot set the time of " + printable(join_path(path, name)));
    add(status, index, name);
    if (S_ISDIR(status.st_mode)) directories_.push_back(path.empty() ? name : join_path(path, name));
    return {};
  }

  void add(const struct stat& status, uint32_t directory, const char* name) {
    Entry entry = seen(status);
    entry.directory = directory;
    entry.name_at = manifest_.names_.size();
    manifest_.names_.append(name).push_back('\0');
    manifest_.entries_.push_back(entry);
  }

  TreeManifest& manifest_;
  const std::stop_token& stop_;
  timespec times_[2];
  std::deque<std::string> directories_;  // not recorded yet
};

TreeManifest::Entry TreeManifest::seen(const struct stat& status) {
  return {status.st_ino,
          static_cast<uint64_t>(status.st_size),
          nanoseconds(status.st_mtim),
          nanoseconds(status.st_ctim),
          status.st_mode,
          0,
          0};
}

Result<TreeManifest> TreeManifest::record(const std::string& tree, FileTime time, const std::stop_token& stop) {
  TreeManifest manifest;
  manifest.time_ = time;
  PLZ_TRY(Recorder(manifest, stop).record(tree));
  return manifest;
}

Result<void> TreeManifest::save(const std::string& path) const {
  std::string text =
      fmt::format("plz-tree 1 {} {} {}\n", time_.time_since_epoch().count(), entries_.size(), names_.size());
  text.append(reinterpret_cast<const char*>(entries_.data()), entries_.size() * sizeof(Entry));
  text += names_;
  return write_file_atomically(path, text, 0600, Sync::no);
}

// Read to where it stays: of a tree of many entries the manifest is large, and its job may be short.
Result<TreeManifest> TreeManifest::load(const std::string& path) {
  PLZ_ASSIGN(const UniqueFd file, open_file(path, O_RDONLY));
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return fail_errno("cannot read " + path);
  const auto size = static_cast<uint64_t>(status.st_size);
  const auto head = read_head(file.get());
  const bool is_whole = head && head->entries > 0 && head->names > 0 && size <= kMostManifestBytes &&
                        head->entries <= size / sizeof(Entry) && head->names <= size &&
                        size == head->bytes + head->entries * sizeof(Entry) + head->names;
  const Error not_whole{ErrorCode::invalid, path + " is not whole", {}};
  if (!is_whole) return fail(not_whole);
  TreeManifest manifest;
  manifest.time_ = FileTime(std::chrono::nanoseconds(head->time));
  manifest.entries_.resize(head->entries);
  manifest.names_.resize(head->names);
  if (lseek(file.get(), static_cast<off_t>(head->bytes), SEEK_SET) < 0) return fail_errno("cannot read " + path);
  const size_t entry_bytes = head->entries * sizeof(Entry);
  PLZ_ASSIGN(const size_t entries_read,
             read_up_to(file.get(), reinterpret_cast<char*>(manifest.entries_.data()), entry_bytes));
  PLZ_ASSIGN(const size_t names_read, read_up_to(file.get(), manifest.names_.data(), head->names));
  if (entries_read != entry_bytes || names_read != head->names || manifest.names_.back() != '\0')
    return fail(not_whole);
  uint32_t directories = 1;
  for (const Entry& entry : manifest.entries_) {
    if (entry.name_at >= head->names || entry.directory >= directories)
      return fail(ErrorCode::invalid, path + " is damaged");
    directories += S_ISDIR(entry.mode) && &entry != manifest.entries_.data();
  }
  return manifest;
}

std::optional<TreeManifest::Head> TreeManifest::load_head(const std::string& path) {
  auto file = open_file(path, O_RDONLY);
  const auto head = file ? read_head(file->get()) : std::nullopt;
  if (!head) return std::nullopt;
  return Head{FileTime(std::chrono::nanoseconds(head->time)), head->entries};
}

uint64_t TreeManifest::bytes() const {
  constexpr uint64_t kBytesOfAnInode = 4096;
  uint64_t bytes = 0;
  for (const Entry& entry : entries_)
    if (!S_ISDIR(entry.mode)) bytes += entry.bytes + kBytesOfAnInode;
  return bytes;
}

std::vector<std::string> TreeManifest::directories() const {
  std::vector<std::string> paths = {""};
  for (size_t i = 1; i < entries_.size(); ++i) {
    if (!S_ISDIR(entries_[i].mode)) continue;
    const std::string& parent = paths[entries_[i].directory];
    paths.push_back(parent.empty() ? name(entries_[i]) : join_path(parent, name(entries_[i])));
  }
  return paths;
}

std::optional<std::string> TreeManifest::difference(const std::string& tree) const {
  const UniqueFd root(open(tree.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!root) return "its directory is gone";
  const auto paths = directories();
  const size_t groups = (entries_.size() + kEntriesAtOnce - 1) / kEntriesAtOnce;
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  std::optional<std::string> first;
  auto work = [&] {
    for (size_t i = next++; i < groups; i = next++) {
      auto found =
          difference(root.get(), paths, i * kEntriesAtOnce, std::min(entries_.size(), (i + 1) * kEntriesAtOnce));
      if (!found) continue;
      next = groups;
      std::lock_guard lock(mutex);
      if (!first) first = std::move(found);
    }
  };
  const size_t lookers = std::min({groups, kMostLookers, size_t{std::max(1u, std::thread::hardware_concurrency())}});
  run_on_threads(lookers, work);
  return first;
}

std::optional<std::string> TreeManifest::difference(int root, const std::vector<std::string>& directories, size_t from,
                                                    size_t to) const {
  UniqueFd fd;
  uint32_t opened = UINT32_MAX;
  for (size_t i = from; i < to; ++i) {
    const Entry& entry = entries_[i];
    const std::string& directory = directories[entry.directory];
    if (opened != entry.directory) {
      fd = open_directory_beneath(root, directory);
      if (!fd) return printable(directory) + " cannot be opened";
      opened = entry.directory;
    }
    struct stat status {};
    const int looked = i == 0 ? fstat(root, &status) : fstatat(fd.get(), name(entry), &status, AT_SYMLINK_NOFOLLOW);
    if (looked != 0) return described(directory, name(entry), "is gone");
    Entry now = seen(status);
    now.directory = entry.directory;
    now.name_at = entry.name_at;
    if (now == entry) continue;
    const char* what = now.inode != entry.inode || ((now.mode ^ entry.mode) & S_IFMT) ? "was replaced"
                       : now.mode != entry.mode                                       ? "has another mode"
                       : now.bytes != entry.bytes && !S_ISDIR(entry.mode)             ? "has another size"
                                                                                      : "was changed";
    return described(directory, name(entry), what);
  }
  return std::nullopt;
}

}  // namespace plz
