// Chunks of large files between the threads that cut and the threads that digest. Thread-safe.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "store/capture/blob.h"
#include "store/capture/blob_sender.h"
#include "store/capture/capture_run.h"
#include "store/chunker.h"
#include "store/hasher.h"

namespace plz {

// The chunks of one file that is being read.
class ChunkedRead {
  friend class ChunkQueue;
  std::vector<ChunkReference> chunks_;  // these two: by the queue's mutex
  size_t undigested_ = 0;
};

class ChunkQueue {
 public:
  ChunkQueue(CaptureRun& run, BlobSender& sender) : run_(run), sender_(sender) {}

  // The cutting side. Digests a chunk itself when many wait already, rather than wait itself. With
  // `expected`, the chunk goes to the store only if that is its digest.
  void push(ChunkedRead& file, std::string_view bytes, std::shared_ptr<const void> owner, Hasher& hasher,
            const Digest* expected = nullptr);
  void push_known(ChunkedRead& file, const ChunkReference& chunk);
  // Helps until the file's chunks are all digested.
  std::vector<ChunkReference> finish(ChunkedRead& file, Hasher& hasher);

  // The digesting side: one chunk, if there is one.
  bool digest_one(Hasher& hasher);
  // While a thread reads files, others that have nothing else to do wait here for chunks; false:
  // nobody reads any more.
  void begin_reading();
  void end_reading();
  bool wait_for_chunk();

 private:
  struct Chunk {
    ChunkedRead* file;  // outlives it: finish() waits
    size_t index;
    std::string_view bytes;
    std::shared_ptr<const void> owner;
    const Digest* expected;  // outlives it too
  };
  void digest(Chunk chunk, Hasher& hasher);

  CaptureRun& run_;
  BlobSender& sender_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Chunk> waiting_;
  size_t reading_ = 0;
};

}  // namespace plz
