#include "store/capture/large_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "os/fd.h"
#include "store/hasher.h"

namespace plz {

Blob zero_chunk() {
  auto zeros = std::make_shared<std::string>(kMaxChunkBytes, '\0');
  return {digest_of(*zeros), *zeros, zeros};
}

LargeFileCutter::Outcome LargeFileCutter::cut(ChunkedRead& file, ChunkQueue& queue, BlobSender& sender,
                                              CaptureRun& run, Hasher& hasher) {
  Blob zeros;
  while (position_ < size_ && !run.stopped()) {
    if (uint64_t count = zero_chunks_here(); count > 0) {
      if (zeros.bytes.empty()) zeros = zero_chunk();
      for (uint64_t i = 0; i < count; ++i) queue.push_known(file, {zeros.digest, kMaxChunkBytes});
      sender.add(zeros);
      run.count_hashed(count * kMaxChunkBytes);
      uint64_t skipped = count * kMaxChunkBytes;
      position_ += skipped;
      ahead_.remove_prefix(std::min<uint64_t>(ahead_.size(), skipped));
      continue;
    }
    if (ahead_.size() < std::min<uint64_t>(kMaxChunkBytes, size_ - position_)) {
      if (!fill()) return ended_early_ ? Outcome::shorter : Outcome::failed;
    }
    size_t length = next_chunk_length(ahead_);
    queue.push(file, ahead_.substr(0, length), window_, hasher);
    ahead_.remove_prefix(length);
    position_ += length;
  }
  return Outcome::done;
}

// How many whole zero chunks fit in the hole at position_. The chunker would cut the same, so that a
// file with holes and one with zeros written out are equal.
uint64_t LargeFileCutter::zero_chunks_here() {
  if (!sparse_ || position_ < data_until_) return 0;
  off_t data = lseek(fd_, static_cast<off_t>(position_), SEEK_DATA);
  uint64_t data_from = data >= 0 ? static_cast<uint64_t>(data) : errno == ENXIO ? size_ : position_;
  data_from = std::min(data_from, size_);
  off_t hole = data >= 0 ? lseek(fd_, data, SEEK_HOLE) : -1;
  data_until_ = hole >= 0 ? static_cast<uint64_t>(hole) : size_;
  return (data_from - position_) / kMaxChunkBytes;
}

// A new window: what is left of the old one, then as much of the file as there is room for.
bool LargeFileCutter::fill() {
  auto next = windows_.take();
  if (!ahead_.empty()) memcpy(next.get(), ahead_.data(), ahead_.size());
  uint64_t from = position_ + ahead_.size();
  size_t wanted = std::min<uint64_t>(windows_.buffer_bytes() - ahead_.size(), size_ - from);
  auto got = pread_up_to(fd_, next.get() + ahead_.size(), wanted, from);
  ended_early_ = got && *got < wanted;
  if (!got || ended_early_) return false;
  ahead_ = {next.get(), ahead_.size() + wanted};
  window_ = std::move(next);
  return true;
}

}  // namespace plz
