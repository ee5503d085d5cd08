// How the agent reaches its controller: the one seam between the worker and the network.
#pragma once

#include <memory>
#include <stop_token>

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
  // The same, but what it fetches ends with `cancelled` once `stop` asks. Outlived by this.
  virtual std::unique_ptr<BlobSource> blobs_until(std::stop_token stop) = 0;
  // Holds the lease from its first use until it is destroyed.
  virtual std::unique_ptr<BlobSink> capture_sink(LeaseId lease) = 0;
};

class RemoteController final : public ControllerAccess {
 public:
  explicit RemoteController(Endpoint endpoint);
  std::unique_ptr<WorkerApi> connect() override;
  BlobSource& blobs() override { return blobs_; }
  std::unique_ptr<BlobSource> blobs_until(std::stop_token stop) override { return blobs_.until(std::move(stop)); }
  std::unique_ptr<BlobSink> capture_sink(LeaseId lease) override;

 private:
  const Endpoint endpoint_;
  BlobClient blobs_;
};

}  // namespace plz
