#include "store/capture/chunk_queue.h"

namespace plz {
namespace {

// Times the average chunk: what the cutting side may be ahead, in memory.
constexpr size_t kMostWaiting = 16;

}  // namespace

void ChunkQueue::push(ChunkedRead& file, std::string_view bytes, std::shared_ptr<const void> owner, Hasher& hasher,
                      const Digest* expected) {
  bool many;
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back({&file, file.chunks_.size(), bytes, std::move(owner), expected});
    file.chunks_.push_back({Digest(), static_cast<uint32_t>(bytes.size())});
    ++file.undigested_;
    many = waiting_.size() > kMostWaiting;
  }
  changed_.notify_one();
  if (many) digest_one(hasher);
}

void ChunkQueue::push_known(ChunkedRead& file, const ChunkReference& chunk) {
  std::lock_guard lock(mutex_);
  file.chunks_.push_back(chunk);
}

std::vector<ChunkReference> ChunkQueue::finish(ChunkedRead& file, Hasher& hasher) {
  for (;;) {
    if (digest_one(hasher)) continue;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return file.undigested_ == 0 || !waiting_.empty(); });
    if (file.undigested_ == 0) return std::move(file.chunks_);
  }
}

bool ChunkQueue::digest_one(Hasher& hasher) {
  std::unique_lock lock(mutex_);
  if (waiting_.empty()) return false;
  Chunk chunk = std::move(waiting_.front());
  waiting_.pop_front();
  lock.unlock();
  digest(std::move(chunk), hasher);
  return true;
}

void ChunkQueue::digest(Chunk chunk, Hasher& hasher) {
  Digest digest;
  size_t size = chunk.bytes.size();
  if (!run_.stopped()) {
    hasher.update(chunk.bytes);
    digest = hasher.finish();
    if (!chunk.expected || digest == *chunk.expected) {
      run_.count_hashed(size);
      sender_.add({digest, chunk.bytes, std::move(chunk.owner)});
    }
  }
  {
    std::lock_guard lock(mutex_);
    chunk.file->chunks_[chunk.index].digest = digest;
    --chunk.file->undigested_;
  }
  changed_.notify_all();
}

void ChunkQueue::begin_reading() {
  std::lock_guard lock(mutex_);
  ++reading_;
}

void ChunkQueue::end_reading() {
  {
    std::lock_guard lock(mutex_);
    --reading_;
  }
  changed_.notify_all();
}

bool ChunkQueue::wait_for_chunk() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !waiting_.empty() || reading_ == 0; });
  return !waiting_.empty();
}

}  // namespace plz
