#include "store/capture/blob_sender.h"

#include "base/threads.h"
#include "store/capture/presence.h"
#include "store/pack_format.h"

namespace plz {
namespace {

// Half of what a pack may be: packs of this size come from malloc's heap and not from fresh pages,
// and the first of them is under way early.
constexpr size_t kBatchBytes = kPackTargetBytes / 2;
constexpr size_t kBatchBlobs = 16384;
constexpr size_t kMostBytesHeld = 64u << 20;
// Two: one packs while the other waits for the disk or the network.
constexpr int kThreads = 2;

}  // namespace

BlobSender::BlobSender(CaptureRun& run, BlobSink& sink) : run_(run), sink_(sink) {
  for (int i = 0; i < kThreads; ++i) {
    auto thread = start_jthread([this](const std::stop_token&) { work(); });
    if (thread) threads_.push_back(std::move(*thread));
    else if (threads_.empty()) run_.fail_with(std::move(thread).error());
  }
}

BlobSender::~BlobSender() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
}

void BlobSender::add(Blob blob) {
  if (threads_.empty()) return;  // the run has failed
  std::unique_lock lock(mutex_);
  if (!seen_.insert(blob.digest).second) return;
  changed_.wait(lock, [&] { return bytes_held_ + blob.bytes.size() <= kMostBytesHeld || bytes_held_ == 0; });
  put(std::move(blob));
}

void BlobSender::add_after_all(Blob blob) {
  if (threads_.empty()) return;
  blob.is_content = false;
  std::lock_guard lock(mutex_);
  if (seen_.insert(blob.digest).second) deferred_.push_back({filling_.number, std::move(blob)});
}

void BlobSender::finish() {
  std::unique_lock lock(mutex_);
  for (;;) {
    seal();
    release_deferred();
    if (!filling_.blobs.empty()) continue;
    if (undurable_.empty() && deferred_.empty()) return;
    changed_.wait(lock);
  }
}

void BlobSender::put(Blob blob) {
  bytes_held_ += blob.bytes.size();
  filling_.bytes += blob.bytes.size();
  filling_.blobs.push_back(std::move(blob));
  if (filling_.bytes >= kBatchBytes || filling_.blobs.size() >= kBatchBlobs) seal();
}

// An empty batch is sealed too where somebody waits for its number.
void BlobSender::seal() {
  if (filling_.blobs.empty() && deferred_.empty()) return;
  uint64_t number = filling_.number;
  if (!filling_.blobs.empty()) {
    undurable_.insert(number);
    sealed_.push_back(std::move(filling_));
    changed_.notify_all();
  }
  filling_ = {.number = number + 1};
}

void BlobSender::release_deferred() {
  uint64_t first_undurable = undurable_.empty() ? filling_.number : *undurable_.begin();
  while (!deferred_.empty() && deferred_.front().after_batch < first_undurable) {
    Blob blob = std::move(deferred_.front().blob);
    deferred_.pop_front();
    put(std::move(blob));
  }
}

void BlobSender::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return !sealed_.empty() || ending_; });
    if (sealed_.empty()) return;
    Batch batch = std::move(sealed_.front());
    sealed_.pop_front();
    lock.unlock();
    // After a failure batches are dropped, so that nobody waits for room for ever.
    if (!run_.stopped()) send(batch);
    batch.blobs.clear();
    lock.lock();
    bytes_held_ -= batch.bytes;
    undurable_.erase(batch.number);
    release_deferred();
    changed_.notify_all();
  }
}

void BlobSender::send(const Batch& batch) {
  std::vector<Digest> digests;
  for (const Blob& blob : batch.blobs) digests.push_back(blob.digest);
  auto missing = ask_missing(sink_, digests);
  if (!missing) return run_.fail_with(std::move(missing).error());
  std::string pack;
  pack.reserve(batch.bytes + digests.size() * kPackRecordHeaderBytes + kPackMagic.size());
  uint64_t content = 0;
  for (size_t i = 0; i < digests.size(); ++i) {
    if (!(*missing)[i]) continue;
    append_blob_to_pack(pack, digests[i], batch.blobs[i].bytes);
    if (batch.blobs[i].is_content) content += batch.blobs[i].bytes.size();
  }
  if (pack.empty()) return;
  uint64_t size = pack.size();
  if (auto sent = sink_.send_pack(std::move(pack)); !sent) return run_.fail_with(std::move(sent).error());
  run_.count_content_sent(content);
  run_.count_sent(size);
}

}  // namespace plz
