// Reads a large file in windows, cuts it in chunks, and hands them to a ChunkQueue. Holes are not
// read: a chunk that lies in one is the zero chunk.
#pragma once

#include <memory>
#include <string_view>

#include "store/capture/blob.h"
#include "store/capture/chunk_queue.h"

namespace plz {

class LargeFileCutter {
 public:
  LargeFileCutter(int fd, uint64_t size, bool sparse, BufferPool& windows) : fd_(fd), size_(size), sparse_(sparse), windows_(windows) {}

  enum class Outcome { done, shorter, failed };  // failed: errno
  Outcome cut(ChunkedRead& file, ChunkQueue& queue, BlobSender& sender, CaptureRun& run, Hasher& hasher);

 private:
  uint64_t zero_chunks_here();
  bool fill();

  int fd_;
  uint64_t size_;
  bool sparse_;
  BufferPool& windows_;
  uint64_t position_ = 0;     // of the next chunk
  uint64_t data_until_ = 0;   // no hole before it
  std::shared_ptr<char[]> window_;
  std::string_view ahead_;    // read, from position_ on; lies in window_
  bool ended_early_ = false;
};

// kMaxChunkBytes of zeros.
Blob zero_chunk();

}  // namespace plz
