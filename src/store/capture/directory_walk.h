// The first step of a capture: lists every directory, takes every file's stamp, and finds what is
// still as the cache has it. Reads no file.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/capture/capture_run.h"
#include "store/capture/link_policy.h"
#include "store/capture/stat_cache.h"
#include "store/capture/walked_tree.h"

namespace plz {

class DirectoryWalk {
 public:
  DirectoryWalk(CaptureRun& run, const StatCache& cache, WalkedTree& tree);
  ~DirectoryWalk();
  // `left_out`, if given, gets the paths that are not captured; directories end in '/'.
  Result<void> walk(std::vector<std::string>* left_out = nullptr);

 private:
  struct Listing;
  struct Task;

  void work();
  bool next_task(Task& task);
  void add_task(Task task);
  void finish_task();

  void list(WalkedDirectory& directory);
  bool read_names(Listing& listing);
  void add_name(Listing& listing, std::string_view name, unsigned char type);
  void stat_entries(Listing& listing, size_t from, size_t to);
  void stat_entry(Listing& listing, WalkedEntry& entry);
  bool stat_link(Listing& listing, WalkedEntry& entry, struct stat& st);
  void leave_out_special(Listing& listing, WalkedEntry& entry, uint32_t mode);
  void finish_listing(Listing& listing);
  void keep_entries(Listing& listing);
  void keep_target(Listing& listing, WalkedEntry& entry);
  void add_child(Listing& listing, const WalkedEntry& entry, uint32_t index);
  void unreadable(const WalkedDirectory& directory, std::string_view name, int error_number);
  void note_left_out(std::string path);

  CaptureRun& run_;
  const StatCache& cache_;
  WalkedTree& tree_;
  LinkPolicy links_;
  std::atomic<uint64_t> followed_entries_ = 0;  // found behind links

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Task> tasks_;                       // by mutex_; the latest is done first
  size_t unfinished_ = 0;                         // by mutex_
  std::vector<std::string>* left_out_ = nullptr;  // by mutex_
};

}  // namespace plz
