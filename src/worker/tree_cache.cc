#include "worker/tree_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include <fmt/core.h>

#include "base/log.h"
#include "base/text.h"
#include "os/file.h"
#include "store/materialise.h"

namespace plz {
namespace {

constexpr std::string_view kSynced = "synced";
constexpr std::string_view kMarker = "/complete";

// Not one that is being made or removed.
bool is_tree_name(std::string_view name) {
  return (name.ends_with(".code") || name.ends_with(".input")) && Digest::parse(name.substr(0, name.find('.')));
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
  release();
  cache_ = std::exchange(other.cache_, nullptr);
  name_ = std::move(other.name_);
  return *this;
}

std::string TreeCache::Hold::path() const { return cache_ ? cache_->path_of(name_) + "/tree" : ""; }

void TreeCache::Hold::release() {
  if (auto* cache = std::exchange(cache_, nullptr)) cache->let_go(name_);
}

TreeCache::TreeCache(std::string directory, uint64_t limit_bytes, std::string boot_id)
    : directory_(std::move(directory)), limit_bytes_(limit_bytes), boot_id_(std::move(boot_id)) {}

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
  if (is_tree_name(name) && words.size() == 2 && (synced || (!boot_id_.empty() && words[0] == boot_id_))) {
    Entry entry{.ready = true, .synced = synced, .last_used = ++uses_};
    std::from_chars(words[1].data(), words[1].data() + words[1].size(), entry.bytes);
    entries_[name] = entry;
  } else if (auto removed = remove_tree(path_of(name)); !removed) {
    log_warning("an unfinished tree stays: {}", removed.error().message);
  }
}

Result<TreeCache::Hold> TreeCache::acquire(const Digest& tree, TreeUse use, BlobSource& source) {
  const std::string name = name_of(tree, use);
  std::unique_lock lock(mutex_);
  for (auto known = entries_.find(name); known != entries_.end(); known = entries_.find(name)) {
    if (!known->second.ready) {
      changed_.wait(lock);
      continue;
    }
    ++known->second.holders;
    known->second.last_used = ++uses_;
    lock.unlock();
    // For the order of use in a later process.
    utimensat(AT_FDCWD, (path_of(name) + std::string(kMarker)).c_str(), nullptr, 0);
    return Hold(this, name);
  }
  entries_[name] = Entry{.holders = 1, .last_used = ++uses_};
  lock.unlock();
  auto made = make(name, tree, use, source);
  lock.lock();
  changed_.notify_all();
  if (!made) {
    entries_.erase(name);
    return fail(std::move(made).error());
  }
  entries_[name].bytes = *made;
  entries_[name].ready = true;
  return Hold(this, name);
}

Result<uint64_t> TreeCache::make(const std::string& name, const Digest& tree, TreeUse use, BlobSource& source) {
  const std::string unfinished = path_of("making-" + name);
  PLZ_TRY(remove_tree(unfinished));
  PLZ_TRY(make_directories(unfinished, 0755));
  MaterialiseOptions options;
  options.read_only = use == TreeUse::input;
  auto written = materialise(tree, unfinished + "/tree", options, source);
  uint64_t bytes = 0;
  if (written) {
    auto root = fetch_tree(tree, source);
    if (!root) written = fail(std::move(root).error());
    else
      for (const auto& entry : root->entries) bytes += entry.bytes + entry.files * 4096;
  }
  if (written) written = write_marker("making-" + name, boot_id_, bytes);
  if (written && rename(unfinished.c_str(), path_of(name).c_str()) != 0)
    written = fail_errno("cannot rename " + unfinished);
  if (written) return bytes;
  if (auto removed = remove_tree(unfinished); !removed) log_warning("{}", removed.error().message);
  return fail(std::move(written).error());
}

Result<void> TreeCache::write_marker(const std::string& name, std::string_view boot, uint64_t bytes) {
  return write_file_atomically(path_of(name) + std::string(kMarker), fmt::format("{} {}\n", boot, bytes), 0600,
                               boot == kSynced ? Sync::yes : Sync::no);
}

void TreeCache::let_go(const std::string& name) {
  std::lock_guard lock(mutex_);
  auto entry = entries_.find(name);
  if (entry != entries_.end()) --entry->second.holders;
}

std::string TreeCache::least_recently_used() const {
  std::string oldest;
  uint64_t last_used = UINT64_MAX;
  for (const auto& [name, entry] : entries_) {
    if (!entry.ready || entry.holders > 0 || entry.last_used >= last_used) continue;
    oldest = name;
    last_used = entry.last_used;
  }
  return oldest;
}

void TreeCache::evict() {
  while (bytes() > limit_bytes_) {
    std::string doomed;
    {
      std::lock_guard lock(mutex_);
      std::string name = least_recently_used();
      if (name.empty()) return;
      doomed = take_out(name);
    }
    if (auto removed = remove_tree(doomed); !removed) log_warning("{}", removed.error().message);
  }
}

std::string TreeCache::take_out(const std::string& name) {
  std::string doomed = path_of("removing-" + std::to_string(++removed_) + "-" + name);
  if (rename(path_of(name).c_str(), doomed.c_str()) != 0) log_warning("cannot rename {}", path_of(name));
  entries_.erase(name);
  return doomed;
}

TreeCache::Cleared TreeCache::clear(bool dry_run) {
  Cleared cleared;
  std::vector<std::string> unheld, doomed;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [name, entry] : entries_) {
      if (!entry.ready || entry.holders > 0) continue;
      ++cleared.trees;
      cleared.bytes += entry.bytes;
      unheld.push_back(name);
    }
    if (!dry_run)
      for (const auto& name : unheld) doomed.push_back(take_out(name));
  }
  for (const auto& path : doomed)
    if (auto removed = remove_tree(path); !removed) log_warning("{}", removed.error().message);
  return cleared;
}

Result<void> TreeCache::sync() {
  std::vector<std::pair<std::string, uint64_t>> fresh;
  {
    std::lock_guard lock(mutex_);
    for (auto& [name, entry] : entries_) {
      if (!entry.ready || entry.synced) continue;
      ++entry.holders;
      fresh.emplace_back(name, entry.bytes);
    }
  }
  if (fresh.empty()) return {};
  auto directory = open_file(directory_, O_RDONLY | O_DIRECTORY);
  Result<void> result;
  if (!directory) result = fail(std::move(directory).error());
  else if (syncfs(directory->get()) != 0) result = fail_errno("cannot write " + directory_ + " to the disk");
  for (const auto& [name, bytes] : fresh) {
    if (result) result = write_marker(name, kSynced, bytes);
    std::lock_guard lock(mutex_);
    Entry& entry = entries_[name];
    --entry.holders;
    entry.synced = result.has_value();
  }
  return result;
}

uint64_t TreeCache::bytes() const {
  std::lock_guard lock(mutex_);
  uint64_t bytes = 0;
  for (const auto& [name, entry] : entries_) bytes += entry.bytes;
  return bytes;
}

}  // namespace plz
