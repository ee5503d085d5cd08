#include "cli/patient_blobs.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/patience.h"

namespace plz {
namespace {

constexpr std::chrono::milliseconds kFirstPause{20};
constexpr std::chrono::milliseconds kLongestPause{1'000};

// That the controller is away is told once it stays away; a disk that is full, at once.
void tell(Messages& messages, const Error& error) {
  if (error.message.find(kNoRoom) == std::string::npos) return;
  messages.warning(fmt::format("{}: trying again for {} s", error.message, PatientBlobs::kPatience.count()));
}

}  // namespace

Result<std::unique_ptr<PatientBlobs>> PatientBlobs::open(Session& session, Interrupt& interrupt,
                                                         std::optional<LeaseId> lease) {
  PLZ_ASSIGN(Endpoint endpoint, session.endpoint());
  return std::make_unique<PatientBlobs>(session, interrupt, std::move(endpoint), lease);
}

PatientBlobs::PatientBlobs(Session& session, Interrupt& interrupt, Endpoint endpoint, std::optional<LeaseId> lease)
    : session_(session),
      interrupt_(interrupt),
      note_(session.messages(), session.clock()),
      client_(std::move(endpoint), lease, session.client_settings()) {}

// `progress` counts up where a call has brought something before it failed.
template <typename Call>
auto PatientBlobs::patiently(Call call, const size_t& progress) -> decltype(call()) {
  std::optional<SteadyTime> failing_since;
  std::chrono::milliseconds pause = kFirstPause;
  while (true) {
    const size_t before = progress;
    auto answer = call();
    if (answer || !is_temporary(answer.error().code)) return answer;
    const SteadyTime now = session_.clock().steady();
    if (!failing_since || progress != before) {
      failing_since = now;
      pause = kFirstPause;
      tell(session_.messages(), answer.error());
    }
    note_.failed(answer.error(), *failing_since);
    if (now - *failing_since > kPatience || interrupt_.wait_for(pause)) return answer;
    pause = std::min(pause * 2, kLongestPause);
    find_again();
  }
}

template <typename Call>
auto PatientBlobs::patiently(Call call) -> decltype(call()) {
  return patiently(std::move(call), 0);
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
  auto fetch_rest = [&]() -> Result<void> {
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
  };
  return patiently(fetch_rest, received);
}

}  // namespace plz
