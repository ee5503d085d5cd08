// Blobs on their way to a person: with progress, and an end when they have had enough.
#pragma once

#include <atomic>
#include <cstdint>

#include "cli/messages.h"
#include "store/blob_channel.h"

namespace plz {

// Fetches from another source, which outlives it. Ends with `cancelled` once the flag is up.
class MonitoredSource final : public BlobSource {
 public:
  MonitoredSource(BlobSource& source, const std::atomic<bool>* cancelled, Messages& messages)
      : source_(source), cancelled_(cancelled), messages_(messages) {}
  ~MonitoredSource() override { messages_.end_progress(); }
  Result<void> fetch(std::span<const Digest> digests, const Receive& receive) override;

 private:
  Result<void> check() const;
  void tell(uint64_t bytes);

  BlobSource& source_;
  const std::atomic<bool>* cancelled_;
  Messages& messages_;
  std::atomic<uint64_t> fetched_ = 0;
};

}  // namespace plz
