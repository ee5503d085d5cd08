// A blob in memory on its way to the store, and the buffers that such bytes lie in.
#pragma once

#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "model/digest.h"

namespace plz {

struct Blob {
  Digest digest;
  std::string_view bytes;
  std::shared_ptr<const void> owner;  // of the bytes, shared by all blobs that lie in one buffer
  bool is_content = true;             // a file's own bytes, not a list of chunks
};

// Buffers of one size, used again: fresh memory costs the kernel a page fault every 4 KiB.
// Thread-safe; must outlive its buffers.
class SharedBuffers {
 public:
  explicit SharedBuffers(size_t buffer_bytes) : buffer_bytes_(buffer_bytes) {}
  size_t buffer_bytes() const { return buffer_bytes_; }

  std::shared_ptr<char[]> take() {
    return {take_free().release(), [this](char* bytes) { give_back(std::unique_ptr<char[]>(bytes)); }};
  }

 private:
  std::unique_ptr<char[]> take_free() {
    std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique_for_overwrite<char[]>(buffer_bytes_);
    auto bytes = std::move(free_.back());
    free_.pop_back();
    return bytes;
  }
  void give_back(std::unique_ptr<char[]> bytes) {
    std::lock_guard lock(mutex_);
    free_.push_back(std::move(bytes));
  }

  size_t buffer_bytes_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<char[]>> free_;
};

}  // namespace plz
