// Gathers blobs into batches, asks the store which of them it lacks, packs those and sends them, on
// threads of its own. Errors go to the CaptureRun. Thread-safe.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_set>
#include <vector>

#include "store/blob_channel.h"
#include "store/capture/blob.h"
#include "store/capture/capture_run.h"

namespace plz {

class BlobSender {
 public:
  BlobSender(CaptureRun& run, BlobSink& sink);
  ~BlobSender();

  // Waits while too many bytes are held in memory. A blob that was added before is dropped.
  void add(Blob blob);
  // For a blob that refers to others: it is sent when all that was added before it is durable, so
  // that what a stored blob refers to is stored, whenever we die.
  void add_after_all(Blob blob);
  // Sends the rest; on return all is durable, or the run has failed.
  void finish();

 private:
  struct Batch {
    uint64_t number = 0;
    size_t bytes = 0;
    std::vector<Blob> blobs;
  };
  struct Deferred {
    uint64_t after_batch;
    Blob blob;
  };

  void put(Blob blob);  // these three: with mutex_ held
  void seal();
  void release_deferred();
  void work();
  void send(const Batch& batch);

  CaptureRun& run_;
  BlobSink& sink_;

  std::mutex mutex_;  // guards all below but the threads
  std::condition_variable changed_;
  Batch filling_;
  std::deque<Batch> sealed_;
  std::set<uint64_t> undurable_;  // numbers of sealed batches that are not sent
  std::deque<Deferred> deferred_;
  std::unordered_set<Digest> seen_;
  size_t bytes_held_ = 0;
  bool ending_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace plz
