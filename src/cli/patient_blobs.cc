#include "cli/patient_blobs.h"

#include <algorithm>

namespace plz {
namespace {

constexpr std::chrono::milliseconds kFirstPause{20};
constexpr std::chrono::milliseconds kLongestPause{1'000};

}  // namespace

Result<std::unique_ptr<PatientBlobs>> PatientBlobs::open(Session& session, Interrupt& interrupt,
                                                         std::optional<LeaseId> lease) {
  PLZ_ASSIGN(Endpoint endpoint, session.endpoint());
  return std::make_unique<PatientBlobs>(session, interrupt, std::move(endpoint), lease);
}

PatientBlobs::PatientBlobs(Session& session, Interrupt& interrupt, Endpoint endpoint, std::optional<LeaseId> lease)
    : session_(session), interrupt_(interrupt), client_(std::move(endpoint), lease, session.client_settings()) {}

template <typename Call>
auto PatientBlobs::patiently(Call call) -> decltype(call()) {
  const SteadyTime deadline = session_.clock().steady() + kPatience;
  std::chrono::milliseconds pause = kFirstPause;
  while (true) {
    auto answer = call();
    if (answer || answer.error().code != ErrorCode::unavailable) return answer;
    if (session_.clock().steady() > deadline || interrupt_.wait_for(pause)) return answer;
    pause = std::min(pause * 2, kLongestPause);
    find_again();
  }
}

// It is where it was: an endpoint does not move while a command runs.
void PatientBlobs::find_again() {
  std::lock_guard lock(finding_);
  (void)session_.endpoint();
}

Result<std::vector<bool>> PatientBlobs::missing(std::span<const Digest> digests) {
  return patiently([&] { return client_.missing(digests); });
}

Result<void> PatientBlobs::send_pack(std::string pack) {
  return patiently([&] { return client_.send(pack); });
}

Result<void> PatientBlobs::fetch(std::span<const Digest> digests, const Receive& receive) {
  size_t received = 0;
  bool refused = false;
  return patiently([&]() -> Result<void> {
    // What the receiver itself complains of is not cured by fetching again.
    const size_t first = received;
    auto fetched = client_.fetch(digests.subspan(first), [&](size_t index, std::string_view bytes) {
      auto taken = receive(first + index, bytes);
      refused = !taken;
      if (taken) ++received;
      return taken;
    });
    if (!fetched && refused) fetched.error().code = ErrorCode::internal;
    return fetched;
  });
}

}  // namespace plz
