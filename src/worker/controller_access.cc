#include "worker/controller_access.h"

namespace plz {

RemoteController::RemoteController(Endpoint endpoint)
    : endpoint_(std::move(endpoint)), blobs_(endpoint_, std::nullopt) {}

std::unique_ptr<WorkerApi> RemoteController::connect() { return std::make_unique<WorkerClient>(endpoint_); }

std::unique_ptr<BlobSink> RemoteController::capture_sink(LeaseId lease) {
  return std::make_unique<BlobClient>(endpoint_, lease);
}

}  // namespace plz
