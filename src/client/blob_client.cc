#include "client/blob_client.h"

#include <algorithm>
#include <mutex>

#include <fmt/core.h>

#include "base/patience.h"
#include "client/api_connection.h"
#include "store/pack_format.h"

namespace plz {
namespace {

constexpr size_t kDigestsAFetch = 4096;
constexpr size_t kDigestsAQuestion = 32'768;
constexpr size_t kIdleConnections = 8;

std::string digest_bytes(std::span<const Digest> digests) {
  std::string bytes;
  bytes.reserve(digests.size() * Digest::kBytes);
  for (const Digest& digest : digests) bytes += digest.view();
  return bytes;
}

ClientRequest octets_request(std::string target, std::string_view body) {
  ClientRequest request;
  request.method = "POST";
  request.target = std::move(target);
  request.headers.add("Content-Type", "application/octet-stream");
  request.body = body;
  return request;
}

}  // namespace

struct BlobClient::State {
  Endpoint endpoint;
  std::optional<LeaseId> lease;
  ClientSettings settings;
  std::mutex mutex;
  std::vector<std::unique_ptr<ApiConnection>> idle;  // guarded by mutex
  bool lease_held = false;                           // guarded by mutex

  std::unique_ptr<ApiConnection> take() {
    std::lock_guard lock(mutex);
    if (idle.empty()) return std::make_unique<ApiConnection>(endpoint, settings);
    auto connection = std::move(idle.back());
    idle.pop_back();
    return connection;
  }

  void put_back(std::unique_ptr<ApiConnection> connection) {
    std::lock_guard lock(mutex);
    if (idle.size() < kIdleConnections) idle.push_back(std::move(connection));
  }

  // A connection that was stopped takes no further call, so it is not kept.
  template <typename Call>
  Result<void> with_stoppable(const std::stop_token& stop, const Call& call) {
    auto connection = take();
    Result<void> result;
    {
      std::stop_callback ends(stop, [&] { connection->cancel(); });
      result = call(*connection);
    }
    if (!stop.stop_requested()) put_back(std::move(connection));
    return result;
  }

  // Every such request holds the lease anew, so that a long capture keeps it.
  std::string leased(std::string target) {
    if (!lease) return target;
    std::lock_guard lock(mutex);
    lease_held = true;
    return target + "?lease=" + lease->to_string();
  }
};

namespace {

// Borrows one connection of the pool for a call.
template <typename State, typename Call>
auto with_connection(State& state, Call call) {
  auto connection = state.take();
  auto result = call(*connection);
  state.put_back(std::move(connection));
  return result;
}

// One request for blobs, and how far it came.
class BlobFetch {
 public:
  BlobFetch(std::span<const Digest> digests, size_t first, const BlobSource::Receive& receive)
      : digests_(digests), first_(first), receive_(receive) {}

  Result<void> run(ApiConnection& api) {
    std::string body = digest_bytes(digests_.subspan(received_));
    PackBlobReader reader([&](const Digest& digest, std::string_view bytes) { return take(digest, bytes); });
    PLZ_TRY(api.stream(octets_request("/v1/blobs/fetch", body),
                       [&](std::string_view piece) { return reader.feed(piece); }));
    PLZ_TRY(reader.finish());
    if (received_ == digests_.size()) return {};
    return fail(ErrorCode::internal, fmt::format("the store sent {} of {} blobs", received_, digests_.size()));
  }

  size_t received() const { return received_; }
  bool refused() const { return refused_; }

 private:
  Result<void> take(const Digest& digest, std::string_view bytes) {
    if (received_ == digests_.size() || digest != digests_[received_])
      return fail(ErrorCode::internal,
                  fmt::format("the store sent the blob {}, which was not asked for here", digest.hex()));
    auto result = receive_(first_ + received_, bytes);
    ++received_;
    refused_ = !result;
    return result;
  }

  std::span<const Digest> digests_;
  const size_t first_;
  const BlobSource::Receive& receive_;
  size_t received_ = 0;
  bool refused_ = false;  // by the receiver: asking again would not help
};

}  // namespace

BlobClient::BlobClient(Endpoint endpoint, std::optional<LeaseId> lease, ClientSettings settings)
    : state_(new State{std::move(endpoint), lease, settings, {}, {}, false}) {}

BlobClient::~BlobClient() {
  if (!state_->lease_held) return;
  // Not worth waiting for: a lease that is not ended runs out by itself.
  with_connection(*state_, [&](ApiConnection& api) {
    ClientRequest request;
    request.method = "DELETE";
    request.target = "/v1/leases/" + state_->lease->to_string();
    request.stall_timeout = std::chrono::seconds(10);
    return api.call(request);
  });
}

Result<std::vector<bool>> BlobClient::missing(std::span<const Digest> digests) {
  std::vector<bool> missing;
  missing.reserve(digests.size());
  while (missing.size() < digests.size()) {
    auto part = digests.subspan(missing.size(), std::min(kDigestsAQuestion, digests.size() - missing.size()));
    std::string body = digest_bytes(part);
    PLZ_ASSIGN(std::string answer, with_connection(*state_, [&](ApiConnection& api) {
                 return api.call(octets_request(state_->leased("/v1/blobs/missing"), body));
               }));
    if (answer.size() != part.size())
      return fail(ErrorCode::internal,
                  fmt::format("the store answered for {} of {} blobs", answer.size(), part.size()));
    for (char byte : answer) missing.push_back(byte != 0);
  }
  return missing;
}

Result<void> BlobClient::send(std::string_view pack) {
  PLZ_ASSIGN(std::string answer, with_connection(*state_, [&](ApiConnection& api) {
               return api.call(octets_request(state_->leased("/v1/packs"), pack));
             }));
  return {};
}

Result<void> BlobClient::fetch(std::span<const Digest> digests, const Receive& receive) {
  return fetch_until(digests, receive, {});
}

Result<void> BlobClient::fetch_until(std::span<const Digest> digests, const Receive& receive,
                                     const std::stop_token& stop) {
  for (size_t first = 0; first < digests.size(); first += kDigestsAFetch) {
    BlobFetch fetch(digests.subspan(first, std::min(kDigestsAFetch, digests.size() - first)), first, receive);
    for (;;) {
      size_t before = fetch.received();
      auto result = state_->with_stoppable(stop, [&](ApiConnection& api) { return fetch.run(api); });
      if (result) break;
      // A connection that broke is taken up where it was, as long as that leads anywhere.
      bool again = is_temporary(result.error().code) && !fetch.refused() && fetch.received() > before;
      if (!again) return result;
    }
  }
  return {};
}

class BlobClient::Stoppable final : public BlobSource {
 public:
  Stoppable(BlobClient& client, std::stop_token stop) : client_(client), stop_(std::move(stop)) {}
  Result<void> fetch(std::span<const Digest> digests, const Receive& receive) override {
    return client_.fetch_until(digests, receive, stop_);
  }

 private:
  BlobClient& client_;
  const std::stop_token stop_;
};

std::unique_ptr<BlobSource> BlobClient::until(std::stop_token stop) {
  return std::make_unique<Stoppable>(*this, std::move(stop));
}

}  // namespace plz
