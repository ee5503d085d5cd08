// What outlives jobs and is writable to them: what they find at ~/.cache.
//
//   DIR/user-USER/                                  downloads, of all the user's projects (kSharedDownloads)
//   DIR/projects/user-USER/project-PROJECT/N/cache/ the rest, with links to those
//   DIR/projects/…/N/ledger                         which trees it was last used with, and their times
//
// To jobs, code is always at the same path, and so is input. Tools that keep what they made in ~/.cache decide by
// path and time whether it is still good: make and ninja by "not older than what it is made from", Python's .pyc by
// an equal time in whole seconds, numba and Hugging Face datasets by an equal time. So that none takes what was made
// from other files:
//
// - Projects do not share. Nor do versions that run at the same time: for each there is a cache of its own, N.
// - A tree that comes after another one has a later time than all that was made while the other was used, in a
//   second that no other tree had there. The same tree again keeps its time, and what was made from it counts.
//
// What names its content by a digest, an address or a version, as downloads do, is shared.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/digest.h"
#include "worker/tree_cache.h"

namespace plz {

// Thread-safe.
class JobCaches {
  struct Cache;
  struct Project;

 public:
  // A project's cache, with the trees that use it. Movable; outlived by the caches.
  class Hold {
   public:
    Hold() = default;
    Hold(Hold&& other) noexcept = default;
    Hold& operator=(Hold&& other) noexcept;
    ~Hold() { release(); }
    explicit operator bool() const { return cache_ != nullptr; }
    std::string path() const;
    std::string downloads() const;
    // What take_up() knows it by.
    std::string name() const;
    // The trees were not what they should be: what was made from them must not count.
    void spoil();
    void release();

   private:
    friend class JobCaches;
    JobCaches* caches_ = nullptr;
    std::shared_ptr<Cache> cache_;
    bool has_input_ = false;
  };

  // The trees' cache outlives it.
  JobCaches(std::string directory, std::string boot_id, TreeCache& trees)
      : directory_(std::move(directory)), boot_id_(std::move(boot_id)), trees_(trees) {}

  // Who uses what. An empty `input` is none.
  struct Use {
    std::string user, project;
    Digest code_tree, input_tree;
    TreeCache::Hold& code;
    TreeCache::Hold& input;
  };
  // A cache for these trees, and times of theirs that suit it, which then stay. Waits, for less than a second, where
  // a second is not over in which another tree was used. cancelled: `stop` asked.
  Result<Hold> acquire(Use use, const std::stop_token& stop);
  // For containers, whose volumes plz does not know: the trees' times alone, later than those of other versions that
  // ran before. Of those that run at the same time nothing is promised.
  Result<void> set_times_for_volumes(Use use, const std::stop_token& stop);
  // Of an attempt of an earlier process; empty where it is gone.
  Hold take_up(const std::string& name, bool has_input);

 private:
  // A tree that was used with a cache, at what is one place to jobs.
  struct Place {
    std::optional<Digest> tree;  // the last one
    bool was_used = false;
    FileTime time{};  // its time then
  };
  struct Cache {
    std::string name;  // below the directory
    Place code, input;
    FileTime free_since{};
    size_t holders = 0, input_holders = 0;
    uint64_t last_used = 0;
    bool is_written = false;  // the ledger
  };
  using CachePointer = std::shared_ptr<Cache>;
  struct Project {
    bool is_loaded = false;
    bool is_choosing = false;  // one start at a time chooses
    std::vector<CachePointer> caches;
  };
  struct Demand {
    FileTime earliest, fresh;
  };

  // These are called with the lock.
  Project& project(const std::string& name);
  CachePointer load_cache(const std::string& name) const;
  std::vector<CachePointer> candidates(const Project& project, const Use& use) const;
  Demand demand(const Cache& cache, const Place& place, const Digest& tree, bool is_in_use) const;

  Result<CachePointer> choose(const std::string& name, Project& project, const Use& use, const std::stop_token& stop);
  // None: the trees' times cannot be made to suit it.
  Result<std::optional<std::pair<FileTime, FileTime>>> fix(Cache& cache, const Use& use, const std::stop_token& stop);
  Result<std::optional<FileTime>> fix(TreeCache::Hold& tree, const Demand& demand, const std::stop_token& stop);
  Result<void> take(Cache& cache, const Use& use, std::pair<FileTime, FileTime> times);
  Result<void> write_ledger(const Cache& cache) const;
  Result<void> make_cache(const Cache& cache, const std::string& user) const;
  std::string path_of(const Cache& cache) const { return directory_ + "/" + cache.name; }

  const std::string directory_, boot_id_;
  TreeCache& trees_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, Project> projects_;  // guarded by mutex_, as what follows
  uint64_t uses_ = 0;
};

}  // namespace plz
