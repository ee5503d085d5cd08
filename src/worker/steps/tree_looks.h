// Whether the trees of an attempt are still what they were made as: looked at beside its start, so that it does not
// wait.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "worker/tree_cache.h"

namespace plz {

// Used by one thread, which is not its own.
class TreeLooks {
 public:
  explicit TreeLooks(TreeCache& trees) : trees_(trees) {}

  // Looks at small trees at once, and begins to look at large ones. The holds stay until finish() or forget().
  void begin(const TreeCache::Hold& code, const TreeCache::Hold& input);
  // Whether one was found to differ. Waits for as long as `patience`.
  bool found_change(std::chrono::milliseconds patience);
  // Waits for the looks. What differs, in words, and who else used it: "" and nobody where all is good. That holds
  // for a tree, too, that somebody else found changed since.
  TreeCache::Look finish();
  void forget();

 private:
  void look(const TreeCache::Hold& hold, std::string_view what);

  TreeCache& trees_;
  const TreeCache::Hold* code_ = nullptr;
  const TreeCache::Hold* input_ = nullptr;
  std::mutex mutex_;
  std::condition_variable changed_;
  TreeCache::Look found_;  // guarded by mutex_, as what follows
  bool is_looking_ = false;
  std::jthread thread_;
};

}  // namespace plz
