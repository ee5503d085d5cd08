#include "store/capture/large_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "os/fd.h"
#include "store/hasher.h"

namespace plz {
namespace {

constexpr size_t kProbeChunks = 8;

}  // namespace

LargeFileCutter::LargeFileCutter(int fd, uint64_t size, bool sparse, std::vector<ChunkReference> before,
                                 Services services)
    : fd_(fd), size_(size), sparse_(sparse), before_(std::move(before)), services_(services) {}

LargeFileCutter::Outcome LargeFileCutter::cut(std::vector<ChunkReference>& chunks) {
  if (Outcome outcome = recognise(); outcome != Outcome::done) return outcome;
  seek(0);
  ChunkedRead file;
  Outcome outcome = cut_the_rest(file);
  int error_number = errno;
  chunks = services_.queue.finish(file, services_.hasher);
  errno = error_number;
  return outcome;
}

// A file that begins anew has most likely changed everywhere.
LargeFileCutter::Outcome LargeFileCutter::recognise() {
  size_t probe = std::min(kProbeChunks, before_.size());
  Outcome outcome = recognise(0, probe);
  return outcome == Outcome::done && !known_.empty() ? recognise(probe, before_.size()) : outcome;
}

// Digests the old chunks where they were. One that is still there was cut by its own bytes alone,
// and would be cut the same today; but for the last, which the end of the file cut.
LargeFileCutter::Outcome LargeFileCutter::recognise(size_t from, size_t to) {
  ChunkedRead read;
  std::vector<Known> tried;
  Outcome outcome = Outcome::done;
  for (size_t i = from; i < to && outcome == Outcome::done && !services_.run.stopped(); ++i) {
    const ChunkReference& chunk = before_[i];
    uint64_t end = position_ + chunk.bytes;
    if (end > size_ || (i + 1 == before_.size() && end != size_)) break;
    if (zero_chunks_here() > 0) {  // left to step_over_hole()
      advance(chunk.bytes);
      continue;
    }
    outcome = have(chunk.bytes);
    if (outcome != Outcome::done) break;
    tried.push_back({chunk, position_});
    services_.queue.push(read, ahead_.substr(0, chunk.bytes), window_, services_.hasher, &chunk.digest);
    advance(chunk.bytes);
  }
  int error_number = errno;
  auto found = services_.queue.finish(read, services_.hasher);
  errno = error_number;
  for (size_t i = 0; i < tried.size(); ++i)
    if (found[i] == tried[i].chunk) known_.push_back(tried[i]);
  return outcome;
}

LargeFileCutter::Outcome LargeFileCutter::cut_the_rest(ChunkedRead& file) {
  while (position_ < size_ && !services_.run.stopped()) {
    if (step_over_known(file) || step_over_hole(file)) continue;
    Outcome outcome = have(std::min<uint64_t>(kMaxChunkBytes, size_ - position_));
    if (outcome != Outcome::done) return outcome;
    size_t length = next_chunk_length(ahead_);
    services_.queue.push(file, ahead_.substr(0, length), window_, services_.hasher);
    advance(length);
  }
  return Outcome::done;
}

bool LargeFileCutter::step_over_known(ChunkedRead& file) {
  while (next_known_ < known_.size() && known_[next_known_].offset < position_) ++next_known_;
  if (next_known_ == known_.size() || known_[next_known_].offset != position_) return false;
  services_.queue.push_known(file, known_[next_known_].chunk);
  advance(known_[next_known_].chunk.bytes);
  return true;
}

bool LargeFileCutter::step_over_hole(ChunkedRead& file) {
  uint64_t count = zero_chunks_here();
  if (count == 0) return false;
  if (zeros_.bytes.empty()) {
    auto zeros = std::make_shared<std::string>(kMaxChunkBytes, '\0');
    zeros_ = {digest_of(*zeros), *zeros, zeros};
    services_.sender.add(zeros_);
  }
  for (uint64_t i = 0; i < count; ++i) services_.queue.push_known(file, {zeros_.digest, kMaxChunkBytes});
  services_.run.count_hashed(count * kMaxChunkBytes);
  advance(count * kMaxChunkBytes);
  return true;
}

// How many whole zero chunks fit in the hole at position_. The chunker would cut the same, so that a
// file with holes and one with zeros written out are equal.
uint64_t LargeFileCutter::zero_chunks_here() {
  if (!sparse_ || position_ < data_until_) return 0;
  off_t data = lseek(fd_, static_cast<off_t>(position_), SEEK_DATA);
  uint64_t data_from = data >= 0 ? static_cast<uint64_t>(data) : errno == ENXIO ? size_ : position_;
  uint64_t count = (std::min(data_from, size_) - position_) / kMaxChunkBytes;
  off_t hole = data >= 0 ? lseek(fd_, data, SEEK_HOLE) : -1;
  if (count == 0) data_until_ = hole >= 0 ? static_cast<uint64_t>(hole) : size_;
  return count;
}

void LargeFileCutter::advance(uint64_t bytes) {
  position_ += bytes;
  ahead_.remove_prefix(std::min<uint64_t>(ahead_.size(), bytes));
}

void LargeFileCutter::seek(uint64_t position) {
  position_ = position;
  data_until_ = 0;
  ahead_ = {};
}

// Sees to it that so many bytes are ahead: takes a new window with what is left of the old one, then
// as much of the file as there is room for.
LargeFileCutter::Outcome LargeFileCutter::have(uint64_t bytes) {
  if (ahead_.size() >= bytes) return Outcome::done;
  auto next = services_.windows.take();
  if (!ahead_.empty()) memcpy(next.get(), ahead_.data(), ahead_.size());
  uint64_t from = position_ + ahead_.size();
  size_t wanted = std::min<uint64_t>(services_.windows.buffer_bytes() - ahead_.size(), size_ - from);
  auto got = pread_up_to(fd_, next.get() + ahead_.size(), wanted, from);
  if (!got) return Outcome::failed;
  if (*got < wanted) return Outcome::shorter;
  ahead_ = {next.get(), ahead_.size() + wanted};
  window_ = std::move(next);
  return Outcome::done;
}

}  // namespace plz
