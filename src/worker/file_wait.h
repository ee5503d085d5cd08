// An attempt's files on their way from its controller, and how long they are waited for.
#pragma once

#include <atomic>
#include <optional>
#include <stop_token>
#include <string>

#include "base/backoff.h"
#include "base/patience.h"
#include "model/ids.h"
#include "store/blob_channel.h"
#include "worker/connections.h"

namespace plz {

// For one try. Tells whether it is the controller that fails, or this machine that is in trouble. Thread-safe.
class WatchedSource final : public BlobSource {
 public:
  explicit WatchedSource(BlobSource& source) : source_(source) {}
  Result<void> fetch(std::span<const Digest> digests, const Receive& receive) override;
  bool controller_fails() const { return controller_fails_; }
  size_t received() const { return received_; }

 private:
  BlobSource& source_;
  std::atomic<bool> controller_fails_{false};
  std::atomic<size_t> received_{0};
};

// Waits, over all tries of an attempt, for a controller that fails to give them, and tells it so. For one thread.
class FileWait {
 public:
  FileWait(AttemptId id, Connections& connections, const Clock& clock)
      : id_(id), connections_(connections), clock_(clock), backoff_(connections.backoff()) {}

  // After a try that brought so many blobs: true, after a pause or once `stop` asks for the end. False: that was
  // enough.
  bool may_try_again(const Error& error, size_t received, const std::stop_token& stop);
  // They are there: what was told is taken back.
  void end();

 private:
  // False: nobody is there to hear it.
  bool tell(const std::string& words);

  const AttemptId id_;
  Connections& connections_;
  const Clock& clock_;
  Backoff backoff_;
  std::optional<SteadyTime> since_;
  size_t most_received_ = 0;
  std::string told_;
};

}  // namespace plz
