#include "store/capture/directory_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <cstring>
#include <unordered_map>

#include <fmt/core.h>

#include "base/text.h"
#include "base/threads.h"
#include "os/file.h"
#include "store/capture/cache_matcher.h"
#include "store/capture/open_root.h"
#include "store/capture/settle.h"

namespace plz {
namespace {

constexpr size_t kListingBytes = 64u << 10;
// Larger directories are divided among the threads.
constexpr size_t kSliceEntries = 1024;
// Links among directories can multiply them without end.
constexpr uint64_t kMostFollowedEntries = 5'000'000;

// The kernel's struct linux_dirent64 (getdents64(2)).
struct KernelEntry {
  uint64_t inode;
  int64_t offset;
  unsigned short record_bytes;
  unsigned char type;
  char name[];
};

bool is_directory_of_type(int directory, const char* name, unsigned char type) {
  if (type != DT_UNKNOWN) return type == DT_DIR;
  struct stat st;
  return fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

}  // namespace

// A directory while it is listed.
struct DirectoryWalk::Listing {
  explicit Listing(WalkedDirectory& d) : directory(d) {}

  WalkedDirectory& directory;
  UniqueFd fd;
  std::string path;  // relative, with a '/' behind unless it is the root
  int64_t began_ns = file_system_now_ns();
  CacheMatcher matcher{directory.cached};
  std::vector<WalkedEntry> entries;
  std::string names;
  std::atomic<size_t> slices_left = 1;

  std::mutex mutex;
  std::string target_of(const WalkedEntry& entry) {
    std::lock_guard lock(mutex);
    return targets[entry.name_offset];
  }
  // By the offset of the entry's name. Texts of links, as they are stored; directories that links lead to.
  std::unordered_map<uint32_t, std::string> targets;                          // by mutex
  std::unordered_map<uint32_t, std::unique_ptr<FollowedDirectory>> followed;  // by mutex
};

struct DirectoryWalk::Task {
  WalkedDirectory* directory = nullptr;
  // A part of a large directory; shared by the tasks of its parts.
  std::shared_ptr<Listing> listing;
  size_t from = 0, to = 0;
};

DirectoryWalk::DirectoryWalk(CaptureRun& run, const StatCache& cache, WalkedTree& tree)
    : run_(run), cache_(cache), tree_(tree), links_(run, tree) {}
DirectoryWalk::~DirectoryWalk() = default;

Result<void> DirectoryWalk::walk(std::vector<std::string>* left_out) {
  left_out_ = left_out;
  tree_.directories.emplace_back().cached = cache_.root();
  add_task({&tree_.root()});
  run_on_threads(run_.threads(), [this] { work(); });
  PLZ_TRY(run_.outcome());
  links_.warn();
  settle(tree_, [this](std::string path) { note_left_out(std::move(path)); });
  if (tree_.root().left_out)
    return fail(ErrorCode::not_found, printable(tree_.root_path) + " vanished while it was captured");
  return {};
}

void DirectoryWalk::work() {
  Task task;
  while (next_task(task)) {
    if (run_.stopped()) {
      // The tasks that are left are taken and dropped.
    } else if (task.listing) {
      stat_entries(*task.listing, task.from, task.to);
    } else {
      list(*task.directory);
    }
    task = {};
    finish_task();
  }
}

bool DirectoryWalk::next_task(Task& task) {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [&] { return !tasks_.empty() || unfinished_ == 0; });
  if (tasks_.empty()) return false;
  task = std::move(tasks_.back());
  tasks_.pop_back();
  return true;
}

void DirectoryWalk::add_task(Task task) {
  {
    std::lock_guard lock(mutex_);
    ++unfinished_;
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void DirectoryWalk::finish_task() {
  std::lock_guard lock(mutex_);
  if (--unfinished_ == 0) wake_.notify_all();
}

void DirectoryWalk::list(WalkedDirectory& directory) {
  auto listing = std::make_shared<Listing>(directory);
  listing->path = tree_.relative_path(directory);
  listing->fd = tree_.open_directory(directory);
  int error_number = listing->fd ? 0 : errno;
  if (!listing->path.empty()) listing->path += '/';
  if (!tree_.single_name.empty()) add_name(*listing, tree_.single_name, DT_REG);
  else if (error_number == 0 && !read_names(*listing)) error_number = errno;
  if (error_number != 0) {
    directory.left_out = true;
    // Vanished, or swapped for something else, between its parent's listing and now.
    bool gone = error_number == ENOENT || error_number == ENOTDIR || error_number == ELOOP;
    if (!gone) unreadable(directory, "", error_number);
    return;
  }
  size_t count = listing->entries.size();
  size_t slices = run_.threads() > 1 ? std::max<size_t>(1, count / kSliceEntries) : 1;
  listing->slices_left = slices;
  size_t each = count / slices;
  for (size_t i = 1; i < slices; ++i) add_task({nullptr, listing, i * each, i + 1 == slices ? count : (i + 1) * each});
  stat_entries(*listing, 0, slices == 1 ? count : each);
}

bool DirectoryWalk::read_names(Listing& listing) {
  auto buffer = std::make_unique_for_overwrite<char[]>(kListingBytes);
  for (;;) {
    long size = syscall(SYS_getdents64, listing.fd.get(), buffer.get(), kListingBytes);
    if (size <= 0) return size == 0;
    for (long at = 0; at < size;) {
      auto entry = reinterpret_cast<const KernelEntry*>(buffer.get() + at);
      at += entry->record_bytes;
      std::string_view name = entry->name;
      if (name != "." && name != "..") add_name(listing, name, entry->type);
    }
  }
}

void DirectoryWalk::add_name(Listing& listing, std::string_view name, unsigned char type) {
  bool only_if_occupied = false;
  if (auto filter = run_.options().filter; filter && tree_.single_name.empty()) {
    bool is_directory = is_directory_of_type(listing.fd.get(), name.data(), type);
    size_t length = listing.path.size();
    listing.path += name;
    auto verdict = filter->judge(listing.path, is_directory);
    // It may lead to a directory in which something is to be captured: stat_link() will see.
    const bool may_lead_on = verdict == CaptureFilter::Verdict::exclude && type == DT_LNK &&
                             run_.options().follow_links == FollowLinks::outward &&
                             filter->judge(listing.path, true) == CaptureFilter::Verdict::look_inside;
    if (may_lead_on) verdict = CaptureFilter::Verdict::look_inside;
    bool out = verdict == CaptureFilter::Verdict::exclude ||
               (verdict == CaptureFilter::Verdict::look_inside && !is_directory && !may_lead_on);
    if (out) note_left_out(is_directory ? listing.path + "/" : listing.path);
    listing.path.resize(length);
    if (out) return;
    only_if_occupied = verdict == CaptureFilter::Verdict::look_inside;
  }
  WalkedEntry entry;
  entry.name_offset = append_name(listing.names, name);
  entry.name_bytes = static_cast<uint16_t>(name.size());
  entry.cached_index = listing.matcher.find(name);
  entry.only_if_occupied = only_if_occupied;
  listing.entries.push_back(entry);
}

void DirectoryWalk::stat_entries(Listing& listing, size_t from, size_t to) {
  for (size_t i = from; i < to && !run_.stopped(); ++i) stat_entry(listing, listing.entries[i]);
  run_.count_files(to - from);
  if (listing.slices_left.fetch_sub(1) == 1 && !run_.stopped()) finish_listing(listing);
}

void DirectoryWalk::stat_entry(Listing& listing, WalkedEntry& entry) {
  const char* name = listing.names.c_str() + entry.name_offset;
  struct stat st;
  if (fstatat(listing.fd.get(), name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) {
    entry.state = ContentState::left_out;
    if (errno != ENOENT) unreadable(listing.directory, name, errno);
    return;
  }
  if (S_ISLNK(st.st_mode) && !stat_link(listing, entry, st)) return;
  entry.mode = st.st_mode & 01777;
  if (S_ISDIR(st.st_mode)) {
    entry.kind = EntryKind::directory;
    entry.state = ContentState::read;
    return;
  }
  if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)) return leave_out_special(listing, entry, st.st_mode);
  if (st.st_mode & 06000)
    run_.warn(printable(tree_.full_path(listing.directory, name)) +
              " is captured without its set-user-id and set-group-id bits.");
  entry.stamp = stamp_of(st);
  entry.kind = S_ISLNK(st.st_mode) ? EntryKind::symlink : EntryKind::file;
  entry.settled = is_settled(entry.stamp, listing.began_ns);
  if (entry.cached_index == WalkedEntry::kNotCached) return;
  const CachedEntry& cached = listing.directory.cached->entries[entry.cached_index];
  bool same_kind = S_ISLNK(st.st_mode) == (cached.kind == static_cast<uint8_t>(EntryKind::symlink));
  if (!cached.settled || !same_kind || cached.mode != entry.mode || !(cached.stamp == entry.stamp)) return;
  // What is stored in its place may have changed where the link has not.
  if (S_ISLNK(st.st_mode) && listing.directory.cached->target(cached) != listing.target_of(entry)) return;
  entry.state = ContentState::cached;
  entry.settled = true;
  entry.kind = static_cast<EntryKind>(cached.kind);
  entry.digest = Digest::from_bytes(cached.digest);
}

// Of what is captured in its place, `st` tells. False: it is left out.
bool DirectoryWalk::stat_link(Listing& listing, WalkedEntry& entry, struct stat& st) {
  const std::string name = listing.names.c_str() + entry.name_offset;
  char text[PATH_MAX];
  const ssize_t size = readlinkat(listing.fd.get(), name.c_str(), text, sizeof text);
  if (size <= 0) {
    entry.state = ContentState::left_out;
    if (size < 0 && errno != ENOENT && errno != EINVAL) unreadable(listing.directory, name, errno);
    return false;
  }
  LinkFate fate = links_.decide(listing.directory, listing.fd.get(), name, std::string(text, static_cast<size_t>(size)),
                                !entry.only_if_occupied);
  if (entry.only_if_occupied && fate.kind != LinkFate::Kind::directory) {
    entry.state = ContentState::left_out;
    return false;
  }
  std::lock_guard lock(listing.mutex);
  if (fate.kind == LinkFate::Kind::link) {
    listing.targets[entry.name_offset] = std::move(fate.target);
    return true;
  }
  st = fate.status;
  entry.followed = true;
  if (fate.kind == LinkFate::Kind::directory)
    listing.followed[entry.name_offset] =
        std::make_unique<FollowedDirectory>(FollowedDirectory{fate.real_path, st.st_dev, st.st_ino});
  return true;
}

void DirectoryWalk::leave_out_special(Listing& listing, WalkedEntry& entry, uint32_t mode) {
  entry.state = ContentState::left_out;
  std::string_view name = listing.names.c_str() + entry.name_offset;
  note_left_out(tree_.relative_path(listing.directory, name));
  std::string path = printable(tree_.full_path(listing.directory, name));
  if (run_.options().special_files_are_errors)
    run_.fail_with({ErrorCode::invalid, path + " is " + std::string(special_kind(mode)) + ", which cannot be captured",
                    "remove it, or leave it out with excluded_paths"});
  else run_.warn(path + " is " + std::string(special_kind(mode)) + " and is left out.");
}

void DirectoryWalk::finish_listing(Listing& listing) {
  WalkedDirectory& directory = listing.directory;
  // A directory that is only looked into and was not captured last time is not an entry yet.
  std::erase_if(listing.entries, [&](const WalkedEntry& entry) {
    bool pending = entry.state != ContentState::left_out && entry.kind == EntryKind::directory &&
                   entry.only_if_occupied && entry.cached_index == WalkedEntry::kNotCached;
    if (pending) add_child(listing, entry, WalkedEntry::kNotCached);
    return pending || entry.state == ContentState::left_out;
  });
  if (nearest_followed(directory) &&
      followed_entries_.fetch_add(listing.entries.size()) + listing.entries.size() > kMostFollowedEntries)
    run_.fail_with({ErrorCode::invalid,
                    fmt::format("links lead to more than {} files and directories, at last in {}", kMostFollowedEntries,
                                printable(tree_.full_path(directory))),
                    "leave some of them out with excluded_paths"});
  directory.as_cached = directory.cached && directory.cached->entries.size() == listing.entries.size();
  for (uint32_t i = 0; i < listing.entries.size(); ++i) {
    const WalkedEntry& entry = listing.entries[i];
    directory.as_cached = directory.as_cached && entry.cached_index == i && entry.state != ContentState::unread;
    if (entry.kind != EntryKind::directory) continue;
    if (directory.as_cached) {
      const CachedEntry& cached = directory.cached->entries[i];
      directory.as_cached = cached.mode == entry.mode && cached.kind == static_cast<uint8_t>(EntryKind::directory);
    }
    add_child(listing, entry, i);
  }
  if (!directory.as_cached) keep_entries(listing);
}

void DirectoryWalk::keep_entries(Listing& listing) {
  WalkedDirectory& directory = listing.directory;
  for (WalkedEntry& entry : listing.entries)
    if (entry.kind == EntryKind::symlink) keep_target(listing, entry);
  directory.entries = std::move(listing.entries);
  directory.names = std::move(listing.names);
  for (WalkedDirectory* child : directory.children)
    if (child->index_in_parent != WalkedEntry::kNotCached) directory.entries[child->index_in_parent].child = child;
}

void DirectoryWalk::keep_target(Listing& listing, WalkedEntry& entry) {
  const std::string name = listing.names.c_str() + entry.name_offset;
  const std::string& target = listing.targets[entry.name_offset];
  // Behind the name, where there is no room: both move to the end.
  entry.name_offset = append_name(listing.names, name);
  entry.target_bytes = static_cast<uint16_t>(target.size());
  listing.names += target;
  entry.state = ContentState::read;
}

void DirectoryWalk::add_child(Listing& listing, const WalkedEntry& entry, uint32_t index) {
  WalkedDirectory& parent = listing.directory;
  WalkedDirectory* child;
  {
    std::lock_guard lock(mutex_);
    child = &tree_.directories.emplace_back();
  }
  child->parent = &parent;
  child->name = std::string_view(listing.names.c_str() + entry.name_offset, entry.name_bytes);
  child->mode = entry.mode;
  child->only_if_occupied = entry.only_if_occupied;
  child->index_in_parent = index;
  if (entry.followed) child->followed = std::move(listing.followed[entry.name_offset]);
  if (entry.cached_index != WalkedEntry::kNotCached)
    child->cached = cache_.child(*parent.cached, parent.cached->entries[entry.cached_index]);
  parent.children.push_back(child);
  add_task({child});
}

void DirectoryWalk::unreadable(const WalkedDirectory& directory, std::string_view name, int error_number) {
  std::string path = name.empty() ? tree_.full_path(directory) : tree_.full_path(directory, name);
  Error error = unreadable_error(error_number, path);
  bool forgiven = run_.options().unreadable_is_warning && (error_number == EACCES || error_number == EPERM);
  if (forgiven) run_.warn(error.message + "; it is left out.");
  else run_.fail_with(std::move(error));
}

void DirectoryWalk::note_left_out(std::string path) {
  std::lock_guard lock(mutex_);
  if (left_out_) left_out_->push_back(std::move(path));
}

}  // namespace plz
