#include "worker/controller_access.h"

namespace plz {

RemoteController::RemoteController(Endpoint endpoint, const Clock& clock)
    : endpoint_(std::move(endpoint)), clock_(clock), blobs_(endpoint_, std::nullopt) {}

std::unique_ptr<WorkerApi> RemoteController::connect() { return std::make_unique<WorkerClient>(endpoint_); }

std::unique_ptr<BlobSink> RemoteController::capture_sink() {
  return std::make_unique<BlobClient>(endpoint_, LeaseId::make(clock_));
}

}  // namespace plz
