#include "cli/log_follower.h"

#include <algorithm>

namespace plz {
namespace {

constexpr std::chrono::milliseconds kFirstPause{20};
constexpr std::chrono::milliseconds kLongestPause{2'000};

bool is_worth_another_try(const Error& error) {
  return error.code == ErrorCode::unavailable || error.code == ErrorCode::timeout;
}

}  // namespace

Result<FollowEnd> LogFollower::follow(LogsRequest request) {
  std::chrono::milliseconds pause = kFirstPause;
  last_success_ = session_.clock().steady();
  while (true) {
    const SteadyTime before = last_success_;
    auto done = follow_once(request);
    if (interrupt_.raised()) return FollowEnd::interrupted;
    if (done) return FollowEnd::complete;
    if (session_.out().reader_gone()) return FollowEnd::reader_gone;
    if (!is_worth_another_try(done.error())) return fail(std::move(done).error());
    if (session_.clock().steady() - last_success_ > kPatience)
      return fail(std::move(done).error().with_context("following the log"));
    if (last_success_ != before) pause = kFirstPause;
    if (interrupt_.wait_for(pause)) return FollowEnd::interrupted;
    pause = std::min(pause * 2, kLongestPause);
  }
}

Result<void> LogFollower::follow_once(LogsRequest& request) {
  PLZ_ASSIGN(Endpoint endpoint, session_.endpoint());
  ApiClient api(std::move(endpoint));
  auto subscription = interrupt_.on_raise([&api] { api.cancel(); });
  return api.logs(request, [&](std::string_view bytes) -> Result<void> {
    last_success_ = session_.clock().steady();
    PLZ_TRY(session_.out().write(bytes));
    request.offset += bytes.size();
    return {};
  });
}

}  // namespace plz
