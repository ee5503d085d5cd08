#include "cli/submission.h"

#include "base/patience.h"
#include "cli/retry_note.h"

namespace plz {
namespace {

constexpr int kTries = 8;
constexpr std::chrono::milliseconds kFirstPause{50};

}  // namespace

Result<ExecutionId> submit(Session& session, Interrupt& interrupt, const Submission& submission) {
  const std::string key = Uuid::make_v7(session.clock()).to_string();
  std::chrono::milliseconds pause = kFirstPause;
  RetryNote note(session.messages(), session.clock());
  const SteadyTime began = session.clock().steady();
  for (int attempt = 1;; ++attempt) {
    auto id = session.call([&](ApiClient& api) { return api.submit(submission, key); });
    if (id || !is_temporary(id.error().code) || attempt == kTries) return id;
    note.failed(id.error(), began);
    if (attempt == 1 && id.error().message.find(kNoRoom) != std::string::npos)
      session.messages().warning(id.error().message + ": trying again for some seconds");
    if (interrupt.wait_for(pause)) return id;
    pause *= 2;
  }
}

}  // namespace plz
