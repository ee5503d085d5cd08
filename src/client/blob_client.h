// The store behind the API, as capture and materialisation see it.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>

#include "base/clock.h"
#include "model/ids.h"
#include "net/http_client.h"
#include "store/blob_channel.h"

namespace plz {

// Thread-safe: keeps a small pool of connections. With a lease, opens it at the first missing() and
// ends it when destroyed; long captures renew it.
class BlobClient final : public BlobSink, public BlobSource {
 public:
  BlobClient(Endpoint endpoint, std::optional<LeaseId> lease, ClientSettings settings = {});
  ~BlobClient() override;

  Result<std::vector<bool>> missing(std::span<const Digest> digests) override;
  Result<void> send_pack(std::string pack) override { return send(pack); }
  Result<void> send(std::string_view pack);  // for who may have to send it again
  Result<void> fetch(std::span<const Digest> digests, const Receive& receive) override;
  // The same over the same pool, which it needs, but a fetch ends with `cancelled` as soon as `stop` asks, even
  // where the controller does not answer.
  std::unique_ptr<BlobSource> until(std::stop_token stop);

 private:
  Result<void> fetch_until(std::span<const Digest> digests, const Receive& receive, const std::stop_token& stop);
  class Stoppable;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace plz
