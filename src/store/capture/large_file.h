// Reads a large file in windows, cuts it in chunks, and hands them to a ChunkQueue. Holes are not
// read: a chunk that lies in one is the zero chunk. What a file was cut in before is tried first:
// digesting a chunk takes all threads, finding where it ends only one.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "store/capture/blob.h"
#include "store/capture/chunk_queue.h"

namespace plz {

class LargeFileCutter {
 public:
  struct Services {
    SharedBuffers& windows;
    ChunkQueue& queue;
    BlobSender& sender;
    CaptureRun& run;
    Hasher& hasher;  // of the calling thread
  };
  // `before`: the chunks of the file as it was, if that is known.
  LargeFileCutter(int fd, uint64_t size, bool sparse, std::vector<ChunkReference> before, Services services);

  enum class Outcome { done, shorter, failed };  // failed: errno; shorter: than it was said to be
  // The chunks are the same whatever it was cut in before.
  Outcome cut(std::vector<ChunkReference>& chunks);

 private:
  struct Known {
    ChunkReference chunk;
    uint64_t offset;
  };

  Outcome recognise();
  Outcome recognise(size_t from, size_t to);
  Outcome cut_the_rest(ChunkedRead& file);
  bool step_over_known(ChunkedRead& file);
  bool step_over_hole(ChunkedRead& file);
  uint64_t zero_chunks_here();
  void advance(uint64_t bytes);
  void seek(uint64_t position);
  Outcome have(uint64_t bytes);

  int fd_;
  uint64_t size_;
  bool sparse_;
  std::vector<ChunkReference> before_;
  Services services_;

  std::vector<Known> known_;  // chunks of before that are still there, in order
  size_t next_known_ = 0;
  Blob zeros_;               // when a hole was met
  uint64_t position_ = 0;    // of the next chunk
  uint64_t data_until_ = 0;  // no hole between position_ and it
  std::shared_ptr<char[]> window_;
  std::string_view ahead_;  // read, from position_ on; lies in window_
};

}  // namespace plz
