// The store behind the API, also across the end of the controller: whoever captures or retrieves
// notices nothing of it but a pause.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>

#include "base/patience.h"
#include "cli/interrupt.h"
#include "cli/retry_note.h"
#include "cli/session.h"
#include "client/blob_client.h"

namespace plz {

// Thread-safe; but the session is used by nobody else during its calls. When the controller cannot
// be reached, finds or starts it again and repeats what was asked, for kPatience after the first of a row of
// failures, and says why; an interrupt ends that. With a lease, holds it until destroyed.
class PatientBlobs final : public BlobSink, public BlobSource {
 public:
  static constexpr std::chrono::seconds kPatience = kPatienceWithStore;

  // Finds the controller at once.
  static Result<std::unique_ptr<PatientBlobs>> open(Session& session, Interrupt& interrupt,
                                                    std::optional<LeaseId> lease);
  PatientBlobs(Session& session, Interrupt& interrupt, Endpoint endpoint, std::optional<LeaseId> lease);

  Result<std::vector<bool>> missing(std::span<const Digest> digests) override;
  Result<void> send_pack(std::string pack) override;
  Result<void> fetch(std::span<const Digest> digests, const Receive& receive) override;

 private:
  template <typename Call>
  auto patiently(Call call, const size_t& progress) -> decltype(call());
  template <typename Call>
  auto patiently(Call call) -> decltype(call());
  void find_again();

  Session& session_;
  Interrupt& interrupt_;
  RetryNote note_;
  std::mutex finding_;
  BlobClient client_;
};

}  // namespace plz
