// Trees of the store on this machine's disk, shared by attempts: code, and input.
//
//   DIR/DIGEST.code/tree/   as captured            DIR/DIGEST.input/tree/   without write permission
//   DIR/…/complete          "synced" or the id of the boot that made it, then the tree's bytes
//
// A tree is made in a directory of another name and renamed once it is whole. That alone would not do:
// after a crash of the machine the files of a renamed directory may lack their content. Writing each
// tree through to the disk would cost a job's start a second for each gigabyte. So a tree is trusted
// at once within the boot that made it, and in later boots only if sync() got to it before.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/result.h"
#include "model/digest.h"
#include "store/blob_channel.h"

namespace plz {

enum class TreeUse { code, input };

// Thread-safe.
class TreeCache {
 public:
  // Keeps a tree where it is. Movable; outlived by the cache.
  class Hold {
   public:
    Hold() = default;
    Hold(Hold&& other) noexcept : cache_(std::exchange(other.cache_, nullptr)), name_(std::move(other.name_)) {}
    Hold& operator=(Hold&& other) noexcept;
    ~Hold() { release(); }
    std::string path() const;
    void release();

   private:
    friend class TreeCache;
    Hold(TreeCache* cache, std::string name) : cache_(cache), name_(std::move(name)) {}
    TreeCache* cache_ = nullptr;
    std::string name_;
  };

  TreeCache(std::string directory, uint64_t limit_bytes, std::string boot_id);

  // Looks what is there, and removes what is not to be trusted. Call first.
  Result<void> load();
  // The tree, fetched if it is not there. Several that want the same one wait for the first.
  Result<Hold> acquire(const Digest& tree, TreeUse use, BlobSource& source);
  // Removes trees that nobody holds, the least recently used first, until the rest is within the limit.
  void evict();
  // Removes all that nobody holds; `dry_run`: only says what that would be. Bytes as evict() counts them.
  struct Cleared {
    uint64_t trees = 0, bytes = 0;
  };
  Cleared clear(bool dry_run);
  // Writes new trees through to the disk. Blocks as sync(2) does: call it when there is time.
  Result<void> sync();
  uint64_t bytes() const;

 private:
  struct Entry {
    uint64_t bytes = 0;
    size_t holders = 0;
    bool ready = false;  // false: somebody is making it
    bool synced = false;
    uint64_t last_used = 0;  // a count, not a time: clocks jump
  };

  static std::string name_of(const Digest& tree, TreeUse use);
  std::string path_of(const std::string& name) const { return directory_ + "/" + name; }
  Result<uint64_t> make(const std::string& name, const Digest& tree, TreeUse use, BlobSource& source);
  Result<void> write_marker(const std::string& name, std::string_view boot, uint64_t bytes);
  void load_entry(const std::string& name);
  void let_go(const std::string& name);
  std::string least_recently_used() const;
  // The path of what was the tree, to be removed without the lock; called with it.
  std::string take_out(const std::string& name);

  const std::string directory_;
  const uint64_t limit_bytes_;
  const std::string boot_id_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Entry> entries_;  // guarded by mutex_, as what follows
  uint64_t uses_ = 0;
  uint64_t removed_ = 0;
};

// Of the running kernel; "" where it does not tell.
std::string current_boot_id();
// 20 GiB, or a tenth of the file system if that is less.
uint64_t default_cache_limit(const std::string& directory);

}  // namespace plz
