// The third step of a capture: reads the files that are `unread`, once each, digests them and hands
// their blobs to the sender. Large files are cut by one thread and digested by all.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "store/capture/blob.h"
#include "store/capture/blob_sender.h"
#include "store/capture/capture_run.h"
#include "store/capture/chunk_queue.h"
#include "store/capture/walked_tree.h"
#include "store/hasher.h"

namespace plz {

class ContentReader {
 public:
  // `after_each_file` is called by whichever thread read one.
  ContentReader(CaptureRun& run, WalkedTree& tree, BlobSender& sender, std::function<void()> after_each_file);
  // Errors go to the run. The sender's finish() is the caller's.
  void read_all();

 private:
  struct File {
    WalkedDirectory* directory;
    uint32_t index;
  };
  struct Worker;
  enum class Attempt { done, changed, failed };

  void gather();
  void work();
  bool take_file(File& file);
  void read_file(Worker& worker, const File& file);
  Attempt attempt(Worker& worker, const File& file);
  Attempt read_open_file(Worker& worker, const File& file, int fd, WalkedEntry& result);
  Attempt read_small(Worker& worker, int fd, WalkedEntry& result);
  Attempt read_large(Worker& worker, const File& file, int fd, WalkedEntry& result);
  Attempt fail_reading(const File& file, int error_number);
  void publish(const File& file, const WalkedEntry& result);
  std::string path_of(const File& file) const;

  CaptureRun& run_;
  WalkedTree& tree_;
  BlobSender& sender_;
  std::function<void()> after_each_file_;
  SharedBuffers small_buffers_, windows_;
  ChunkQueue chunks_;
  std::vector<File> files_;  // large ones first, so that none is left for the end
  std::atomic<size_t> next_file_ = 0;
};

}  // namespace plz
