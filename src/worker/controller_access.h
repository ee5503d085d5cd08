// How the agent reaches its controller: the one seam between the worker and the network.
#pragma once

#include <memory>

#include "client/blob_client.h"
#include "client/worker_client.h"
#include "store/blob_channel.h"

namespace plz {

// Thread-safe.
class ControllerAccess {
 public:
  virtual ~ControllerAccess() = default;
  virtual std::unique_ptr<WorkerApi> connect() = 0;  // a connection of its own
  virtual BlobSource& blobs() = 0;
  // Holds the lease from its first use until it is destroyed.
  virtual std::unique_ptr<BlobSink> capture_sink(LeaseId lease) = 0;
};

class RemoteController final : public ControllerAccess {
 public:
  explicit RemoteController(Endpoint endpoint);
  std::unique_ptr<WorkerApi> connect() override;
  BlobSource& blobs() override { return blobs_; }
  std::unique_ptr<BlobSink> capture_sink(LeaseId lease) override;

 private:
  const Endpoint endpoint_;
  BlobClient blobs_;
};

}  // namespace plz
