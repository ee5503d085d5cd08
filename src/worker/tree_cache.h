// Trees of the store on this machine's disk, shared by attempts: code, and input.
//
//   DIR/DIGEST.code/tree/   as captured            DIR/DIGEST.input/tree/   without write permission
//   DIR/…/complete          "synced" or the id of the boot that made it, then the tree's bytes
//   DIR/…/manifest          what it looks like, and its time (tree_manifest.h)
//   DIR/…/users             the executions that used it since it was last found good, a line each
//   DIR/changed-N-…         one that is no more what it was, kept for jobs that still use it
//
// A tree is made in a directory of another name and renamed once it is whole. That alone would not do:
// after a crash of the machine the files of a renamed directory may lack their content. Writing each
// tree through to the disk would cost a job's start a second for each gigabyte. So a tree is trusted
// at once within the boot that made it, and in later boots only if sync() got to it before.
//
// All entries of a tree have one time of modification, since tools decide by that what they need not do again.
// It is a second ago when the tree is made, is moved on for whom that is too early (job_caches.h says when),
// and stays while anybody uses the tree.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/digest.h"
#include "store/blob_channel.h"
#include "store/materialise.h"
#include "worker/tree_manifest.h"

namespace plz {

enum class TreeUse { code, input };

// Thread-safe.
class TreeCache {
  struct Entry;

 public:
  // Keeps a tree where it is. Movable; outlived by the cache.
  class Hold {
   public:
    Hold() = default;
    Hold(Hold&& other) noexcept = default;
    Hold& operator=(Hold&& other) noexcept;
    ~Hold() { release(); }
    explicit operator bool() const { return entry_ != nullptr; }
    std::string path() const;
    // What take_up() knows it by.
    std::string name() const;
    void release();

   private:
    friend class TreeCache;
    Hold(TreeCache* cache, std::shared_ptr<Entry> entry) : cache_(cache), entry_(std::move(entry)) {}
    TreeCache* cache_ = nullptr;
    std::shared_ptr<Entry> entry_;  // with the cache and other holders
    bool is_fixed_ = false;
    std::string user_;
  };

  TreeCache(std::string directory, uint64_t limit_bytes, std::string boot_id, MaterialiseLimits limits = {});

  // Looks what is there, and removes what is not to be trusted. Call first.
  Result<void> load();
  // The tree, fetched if it is not there. Several that want the same one wait for the first. cancelled: `stop` asked.
  Result<Hold> acquire(const Digest& tree, TreeUse use, BlobSource& source, const std::stop_token& stop = {});
  // Holds what an attempt of an earlier process uses, by name, whatever became of it; empty when it is gone.
  Hold take_up(const std::string& name, const std::string& execution);
  static std::string name_of(const Digest& tree, TreeUse use);

  FileTime time(const Hold& hold) const;
  // From now on the tree's time stays. It is the one it has, if that is not before `earliest`; else it becomes
  // `fresh`. None: it is too early, and others have it stay.
  Result<std::optional<FileTime>> fix(Hold& hold, FileTime earliest, FileTime fresh, const std::stop_token& stop = {});
  // Takes fix() back.
  void loosen(Hold& hold);

  // Who uses it, to be told of should it turn out to be changed.
  void note_use(Hold& hold, const std::string& execution);
  // Looks at every entry of a fixed tree. One that differs is given out no more, and made again for the next.
  struct Look {
    std::string difference;           // "" is good
    std::vector<std::string> others;  // executions that used it since it was last found good
    bool is_good() const { return difference.empty(); }
  };
  Look look(const Hold& hold);
  // Whether somebody found it changed.
  bool is_changed(const Hold& hold) const;
  // How many there are to look at.
  size_t entries(const Hold& hold) const;

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
  struct User {
    std::string execution;
    bool is_over = false;
    bool was_over = false;  // when the last look began
  };
  // Guarded by mutex_, as all that the cache has.
  struct Entry {
    std::string name;       // of the tree and its use
    std::string directory;  // its own, below the cache's
    uint64_t bytes = 0;
    size_t holders = 0;
    size_t fixed = 0;    // of those
    bool ready = false;  // false: somebody is making it, or gives it another time
    bool synced = false;
    bool retired = false;    // given out no more
    uint64_t last_used = 0;  // a count, not a time: clocks jump
    FileTime time{};
    size_t entries = 0;
    std::vector<User> users;
  };
  using EntryPointer = std::shared_ptr<Entry>;

  std::string path_of(const std::string& name) const { return directory_ + "/" + name; }
  Result<void> make(Entry& entry, const Digest& tree, TreeUse use, BlobSource& source, const std::stop_token& stop);
  Result<void> write_tree(Entry& entry, const std::string& path, const Digest& tree, TreeUse use, BlobSource& source,
                          const std::stop_token& stop);
  Result<void> write_marker(const std::string& name, std::string_view boot, uint64_t bytes);
  static Result<void> change_time(const std::string& path, FileTime time, const std::stop_token& stop);
  void remove_later(const std::string& path);
  void load_entry(const std::string& name);
  void let_go(const EntryPointer& entry, bool is_fixed, const std::string& user);
  void keep_users(const Entry& entry) const;
  // These are called with the lock.
  EntryPointer least_recently_used() const;
  void retire(const EntryPointer& entry);
  // The path of what was the tree, to be removed without the lock.
  std::string take_out(const EntryPointer& entry);

  const std::string directory_;
  const uint64_t limit_bytes_;
  const std::string boot_id_;
  const MaterialiseLimits limits_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, EntryPointer> entries_;  // guarded by mutex_, as what follows
  std::map<std::string, EntryPointer> retired_;  // by directory
  uint64_t uses_ = 0;
  uint64_t removed_ = 0;
  std::jthread remover_;
};

// Of the running kernel; "" where it does not tell.
std::string current_boot_id();
// 20 GiB, or a tenth of the file system if that is less.
uint64_t default_cache_limit(const std::string& directory);

}  // namespace plz
