#include "worker/tree_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <vector>

#include <fmt/core.h>

#include "base/log.h"
#include "base/text.h"
#include "base/threads.h"
#include "os/file.h"

namespace plz {
namespace {

constexpr std::string_view kSynced = "synced";
constexpr std::string_view kMarker = "/complete";
constexpr std::string_view kManifest = "/manifest";
constexpr std::string_view kUsers = "/users";
constexpr std::string_view kTree = "/tree";
constexpr std::string_view kChanged = "changed-";

// Not one that is being made or removed.
bool is_tree_name(std::string_view name) {
  return (name.ends_with(".code") || name.ends_with(".input")) && Digest::parse(name.substr(0, name.find('.')));
}

void remove_unless_stopped(const std::string& directory, const std::stop_token& stop) {
  for (const auto& name : list_directory(directory).value_or(std::vector<std::string>())) {
    if (stop.stop_requested()) return;
    const std::string path = join_path(directory, name);
    if (unlink(path.c_str()) != 0 && errno == EISDIR) remove_unless_stopped(path, stop);
  }
  if (!stop.stop_requested()) (void)remove_tree(directory);
}

}  // namespace

std::string current_boot_id() { return std::string(trim(read_file("/proc/sys/kernel/random/boot_id").value_or(""))); }

uint64_t default_cache_limit(const std::string& directory) {
  constexpr uint64_t kMost = 20ull << 30;
  struct statvfs file_system {};
  std::string present = directory;
  while (!path_exists(present) && present.size() > 1) present = parent_path(present);
  if (statvfs(present.c_str(), &file_system) != 0) return kMost;
  return std::min(kMost, file_system.f_blocks * file_system.f_frsize / 10);
}

TreeCache::Hold& TreeCache::Hold::operator=(Hold&& other) noexcept {
  if (this == &other) return *this;
  release();
  cache_ = other.cache_;
  entry_ = std::move(other.entry_);
  is_fixed_ = std::exchange(other.is_fixed_, false);
  user_ = std::move(other.user_);
  return *this;
}

std::string TreeCache::Hold::path() const {
  if (!entry_) return "";
  std::lock_guard lock(cache_->mutex_);
  return cache_->path_of(entry_->directory) + std::string(kTree);
}

std::string TreeCache::Hold::name() const {
  if (!entry_) return "";
  std::lock_guard lock(cache_->mutex_);
  return entry_->directory;
}

void TreeCache::Hold::release() {
  if (auto entry = std::exchange(entry_, nullptr)) cache_->let_go(entry, std::exchange(is_fixed_, false), user_);
}

TreeCache::TreeCache(std::string directory, uint64_t limit_bytes, std::string boot_id, MaterialiseLimits limits)
    : directory_(std::move(directory)), limit_bytes_(limit_bytes), boot_id_(std::move(boot_id)), limits_(limits) {}

std::string TreeCache::name_of(const Digest& tree, TreeUse use) {
  return tree.hex() + (use == TreeUse::code ? ".code" : ".input");
}

Result<void> TreeCache::load() {
  PLZ_TRY(make_directories(directory_, 0700));
  PLZ_ASSIGN(auto names, list_directory(directory_));
  std::vector<std::pair<timespec, std::string>> by_use;
  for (const auto& name : names) {
    struct stat marker {};
    bool has_marker = stat((path_of(name) + std::string(kMarker)).c_str(), &marker) == 0;
    by_use.emplace_back(has_marker ? marker.st_mtim : timespec{}, name);
  }
  std::sort(by_use.begin(), by_use.end(), [](const auto& a, const auto& b) {
    return std::pair(a.first.tv_sec, a.first.tv_nsec) < std::pair(b.first.tv_sec, b.first.tv_nsec);
  });
  std::lock_guard lock(mutex_);
  for (const auto& [time, name] : by_use) load_entry(name);
  return {};
}

void TreeCache::load_entry(const std::string& name) {
  std::string marker = read_file(path_of(name) + std::string(kMarker)).value_or("");
  auto words = split(trim(marker), ' ');
  const bool synced = words[0] == kSynced;
  const bool trusted = words.size() == 2 && (synced || (!boot_id_.empty() && words[0] == boot_id_));
  auto entry = std::make_shared<Entry>(Entry{.name = name, .directory = name, .ready = true, .synced = synced});
  if (name.starts_with(kChanged)) {
    // Not to be removed before attempts that were under way have had their say.
    entry->retired = true;
    entry->name = name.substr(name.find('-', kChanged.size()) + 1);
    retired_[name] = entry;
  } else if (is_tree_name(name) && trusted) {
    std::from_chars(words[1].data(), words[1].data() + words[1].size(), entry->bytes);
    entry->last_used = ++uses_;
    const auto head = TreeManifest::load_head(path_of(name) + std::string(kManifest));
    if (head) entry->time = head->time, entry->entries = head->entries;
    const std::string users = read_file(path_of(name) + std::string(kUsers)).value_or("");
    for (auto user : split(trim(users), '\n'))
      if (!user.empty()) entry->users.push_back({.execution = std::string(user), .is_over = true});
    entries_[name] = entry;
    // Of an earlier version, or half lost: nobody knows whether it is good.
    if (!head) retire(entry);
  } else if (auto removed = remove_tree(path_of(name)); !removed) {
    log_warning("an unfinished tree stays: {}", removed.error().message);
  }
}

Result<TreeCache::Hold> TreeCache::acquire(const Digest& tree, TreeUse use, BlobSource& source,
                                           const std::stop_token& stop) {
  const std::string name = name_of(tree, use);
  std::unique_lock lock(mutex_);
  for (auto known = entries_.find(name); known != entries_.end(); known = entries_.find(name)) {
    const EntryPointer entry = known->second;
    if (!entry->ready) {
      changed_.wait(lock, stop, [&] { return entry->ready || entry->retired; });
      if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped while it waited for its files");
      continue;
    }
    if (!path_exists(path_of(name) + std::string(kTree))) {
      log_warning("the cached tree {} is gone: it is made again", path_of(name));
      retire(entry);
      continue;
    }
    ++entry->holders;
    entry->last_used = ++uses_;
    lock.unlock();
    // For the order of use in a later process.
    utimensat(AT_FDCWD, (path_of(name) + std::string(kMarker)).c_str(), nullptr, 0);
    return Hold(this, entry);
  }
  auto entry = std::make_shared<Entry>(Entry{.name = name, .directory = name, .holders = 1, .last_used = ++uses_});
  entries_[name] = entry;
  lock.unlock();
  auto made = make(*entry, tree, use, source, stop);
  lock.lock();
  changed_.notify_all();
  entry->retired = !made;
  if (!made) {
    entries_.erase(name);
    return fail(std::move(made).error());
  }
  entry->ready = true;
  return Hold(this, entry);
}

Result<void> TreeCache::make(Entry& entry, const Digest& tree, TreeUse use, BlobSource& source,
                             const std::stop_token& stop) {
  const std::string name = "making-" + entry.name, unfinished = path_of(name);
  PLZ_TRY(remove_tree(unfinished));
  PLZ_TRY(make_directories(unfinished, 0755));
  auto written = write_tree(entry, unfinished, tree, use, source, stop);
  if (written) written = write_marker(name, boot_id_, entry.bytes);
  if (written && rename(unfinished.c_str(), path_of(entry.name).c_str()) != 0)
    written = fail_errno("cannot rename " + unfinished);
  if (written) return {};
  if (stop.stop_requested()) remove_later(unfinished);
  else if (auto removed = remove_tree(unfinished); !removed) log_warning("{}", removed.error().message);
  return written;
}

// Who was stopped does not wait until a million files are gone, nor does the end of this process: what it leaves goes
// at the next start.
void TreeCache::remove_later(const std::string& path) {
  std::lock_guard lock(mutex_);
  const std::string doomed = path_of(fmt::format("removing-{}-stopped", ++removed_));
  if (rename(path.c_str(), doomed.c_str()) != 0) return log_warning("cannot rename {}", path);
  auto before = std::make_shared<std::jthread>(std::move(remover_));
  auto remover = start_jthread([doomed, before](const std::stop_token& ends) {
    {
      std::stop_callback ends_both(ends, [&] { before->request_stop(); });
      if (before->joinable()) before->join();
    }
    remove_unless_stopped(doomed, ends);
  });
  if (remover) remover_ = std::move(*remover);
  else remover_ = std::move(*before);
}

Result<void> TreeCache::write_tree(Entry& entry, const std::string& path, const Digest& tree, TreeUse use,
                                   BlobSource& source, const std::stop_token& stop) {
  MaterialiseOptions options;
  options.read_only = use == TreeUse::input;
  options.limits = limits_;
  options.stop = stop;
  PLZ_TRY(materialise(tree, path + std::string(kTree), options, source));
  entry.time = file_time_now() - std::chrono::seconds(1);
  PLZ_ASSIGN(const TreeManifest manifest, TreeManifest::record(path + std::string(kTree), entry.time, stop));
  entry.entries = manifest.entries();
  entry.bytes = manifest.bytes();
  return manifest.save(path + std::string(kManifest));
}

TreeCache::Hold TreeCache::take_up(const std::string& name, const std::string& execution) {
  std::lock_guard lock(mutex_);
  EntryPointer entry;
  if (auto known = entries_.find(name); known != entries_.end()) entry = known->second;
  if (auto known = retired_.find(name); known != retired_.end()) entry = known->second;
  for (const auto& [directory, retired] : retired_)
    if (!entry && retired->name == name) entry = retired;
  if (!entry) return {};
  ++entry->holders;
  ++entry->fixed;
  std::erase_if(entry->users, [&](const User& user) { return user.execution == execution; });
  entry->users.push_back({.execution = execution});
  Hold hold(this, entry);
  hold.is_fixed_ = true;
  hold.user_ = execution;
  return hold;
}

FileTime TreeCache::time(const Hold& hold) const {
  std::lock_guard lock(mutex_);
  return hold.entry_->time;
}

Result<std::optional<FileTime>> TreeCache::fix(Hold& hold, FileTime earliest, FileTime fresh,
                                               const std::stop_token& stop) {
  Entry& entry = *hold.entry_;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [&] { return entry.ready; });
  if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped while it waited for its files");
  if (entry.time < earliest) {
    if (entry.fixed > 0) return std::optional<FileTime>();
    entry.ready = false;
    const std::string path = path_of(entry.directory);
    lock.unlock();
    auto changed = change_time(path, fresh, stop);
    lock.lock();
    entry.ready = true;
    changed_.notify_all();
    if (!changed) return fail(std::move(changed).error());
    entry.time = fresh;
  }
  ++entry.fixed;
  hold.is_fixed_ = true;
  return std::optional(entry.time);
}

void TreeCache::loosen(Hold& hold) {
  std::lock_guard lock(mutex_);
  if (std::exchange(hold.is_fixed_, false)) --hold.entry_->fixed;
}

// Files that were changed since must not be taken for good because they have a new time: they are left alone, for
// look() to find.
Result<void> TreeCache::change_time(const std::string& path, FileTime time, const std::stop_token& stop) {
  const std::string manifest_path = path + std::string(kManifest), tree = path + std::string(kTree);
  const auto before = TreeManifest::load(manifest_path);
  if (!before || before->difference(tree)) return {};
  PLZ_ASSIGN(const TreeManifest manifest, TreeManifest::record(tree, time, stop));
  return manifest.save(manifest_path);
}

void TreeCache::note_use(Hold& hold, const std::string& execution) {
  Entry& entry = *hold.entry_;
  std::lock_guard lock(mutex_);
  hold.user_ = execution;
  std::erase_if(entry.users, [&](const User& user) { return user.execution == execution; });
  entry.users.push_back({.execution = execution});
  keep_users(entry);
}

// Written in place: at worst names are lost in a crash. Not truncated before: ext4 writes a file to the disk at once
// that is emptied and filled again (mount option auto_da_alloc).
void TreeCache::keep_users(const Entry& entry) const {
  std::string names;
  for (const User& user : entry.users) names += user.execution + "\n";
  auto file = open_file(path_of(entry.directory) + std::string(kUsers), O_WRONLY | O_CREAT, 0600);
  if (!file || !write_all(file->get(), names)) return;
  if (ftruncate(file->get(), static_cast<off_t>(names.size())) != 0)
    log_warning("cannot shorten {}", path_of(entry.directory) + std::string(kUsers));
}

TreeCache::Look TreeCache::look(const Hold& hold) {
  Entry& entry = *hold.entry_;
  std::unique_lock lock(mutex_);
  // Whoever was over by now is cleared of it by a good look.
  for (User& user : entry.users) user.was_over = user.is_over;
  const std::string path = path_of(entry.directory);
  lock.unlock();
  Look look;
  auto manifest = TreeManifest::load(path + std::string(kManifest));
  if (!manifest) look.difference = manifest.error().message;
  else look.difference = manifest->difference(path + std::string(kTree)).value_or("");
  lock.lock();
  if (look.is_good()) {
    std::erase_if(entry.users, [](const User& user) { return user.was_over; });
    return look;
  }
  for (const User& user : entry.users)
    if (user.execution != hold.user_) look.others.push_back(user.execution);
  retire(hold.entry_);
  return look;
}

bool TreeCache::is_changed(const Hold& hold) const {
  std::lock_guard lock(mutex_);
  return hold.entry_ && hold.entry_->retired;
}

size_t TreeCache::entries(const Hold& hold) const {
  std::lock_guard lock(mutex_);
  return hold.entry_->entries;
}

// Where jobs are using it, it stays until they are over.
void TreeCache::retire(const EntryPointer& entry) {
  if (std::exchange(entry->retired, true)) return;
  entries_.erase(entry->name);
  std::string name;
  do name = fmt::format("{}{}-{}", kChanged, ++removed_, entry->name);
  while (path_exists(path_of(name)));
  if (rename(path_of(entry->directory).c_str(), path_of(name).c_str()) != 0 && errno != ENOENT)
    log_warning("cannot rename {}", path_of(entry->directory));
  entry->directory = name;
  retired_[name] = entry;
}

Result<void> TreeCache::write_marker(const std::string& name, std::string_view boot, uint64_t bytes) {
  return write_file_atomically(path_of(name) + std::string(kMarker), fmt::format("{} {}\n", boot, bytes), 0600,
                               boot == kSynced ? Sync::yes : Sync::no);
}

void TreeCache::let_go(const EntryPointer& entry, bool is_fixed, const std::string& user) {
  std::string doomed;
  {
    std::lock_guard lock(mutex_);
    --entry->holders;
    if (is_fixed) --entry->fixed;
    for (User& known : entry->users) known.is_over = known.is_over || known.execution == user;
    if (entry->retired && entry->holders == 0 && retired_.erase(entry->directory)) doomed = path_of(entry->directory);
  }
  if (doomed.empty()) return;
  if (auto removed = remove_tree(doomed); !removed) log_warning("{}", removed.error().message);
}

TreeCache::EntryPointer TreeCache::least_recently_used() const {
  EntryPointer oldest;
  for (const auto& [name, entry] : entries_)
    if (entry->ready && entry->holders == 0 && (!oldest || entry->last_used < oldest->last_used)) oldest = entry;
  return oldest;
}

void TreeCache::evict() {
  std::vector<std::string> doomed;
  {
    std::lock_guard lock(mutex_);
    std::erase_if(retired_, [&](const auto& retired) {
      if (retired.second->holders > 0) return false;
      doomed.push_back(path_of(retired.first));
      return true;
    });
    uint64_t bytes = 0;
    for (const auto& [name, entry] : entries_) bytes += entry->bytes;
    for (EntryPointer oldest; bytes > limit_bytes_ && (oldest = least_recently_used());) {
      bytes -= oldest->bytes;
      doomed.push_back(take_out(oldest));
    }
  }
  for (const auto& path : doomed)
    if (auto removed = remove_tree(path); !removed) log_warning("{}", removed.error().message);
}

std::string TreeCache::take_out(const EntryPointer& entry) {
  std::string doomed = path_of("removing-" + std::to_string(++removed_) + "-" + entry->name);
  if (rename(path_of(entry->directory).c_str(), doomed.c_str()) != 0)
    log_warning("cannot rename {}", path_of(entry->directory));
  entries_.erase(entry->name);
  return doomed;
}

TreeCache::Cleared TreeCache::clear(bool dry_run) {
  Cleared cleared;
  std::vector<std::string> doomed;
  {
    std::lock_guard lock(mutex_);
    std::vector<EntryPointer> unheld;
    for (const auto& [name, entry] : entries_) {
      if (!entry->ready || entry->holders > 0) continue;
      ++cleared.trees;
      cleared.bytes += entry->bytes;
      unheld.push_back(entry);
    }
    if (!dry_run)
      for (const auto& entry : unheld) doomed.push_back(take_out(entry));
  }
  for (const auto& path : doomed)
    if (auto removed = remove_tree(path); !removed) log_warning("{}", removed.error().message);
  return cleared;
}

Result<void> TreeCache::sync() {
  std::vector<EntryPointer> fresh;
  {
    std::lock_guard lock(mutex_);
    for (auto& [name, entry] : entries_) {
      if (!entry->ready || entry->synced) continue;
      ++entry->holders;
      fresh.push_back(entry);
    }
  }
  if (fresh.empty()) return {};
  auto directory = open_file(directory_, O_RDONLY | O_DIRECTORY);
  Result<void> result;
  if (!directory) result = fail(std::move(directory).error());
  else if (syncfs(directory->get()) != 0) result = fail_errno("cannot write " + directory_ + " to the disk");
  for (const auto& entry : fresh) {
    std::string name;
    {
      std::lock_guard lock(mutex_);
      name = entry->directory;
    }
    if (result) result = write_marker(name, kSynced, entry->bytes);
    {
      std::lock_guard lock(mutex_);
      entry->synced = result.has_value();
    }
    let_go(entry, false, "");
  }
  return result;
}

uint64_t TreeCache::bytes() const {
  std::lock_guard lock(mutex_);
  uint64_t bytes = 0;
  for (const auto& [name, entry] : entries_) bytes += entry->bytes;
  return bytes;
}

}  // namespace plz
