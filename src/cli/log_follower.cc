#include "cli/log_follower.h"

#include <algorithm>

namespace plz {
namespace {

constexpr std::chrono::milliseconds kFirstPause{20};
constexpr std::chrono::milliseconds kLongestPause{2'000};

bool is_worth_another_try(const Error& error) {
  return error.code == ErrorCode::unavailable || error.code == ErrorCode::timeout;
}

bool begins_at_offset(const LogsRequest& request) { return !request.from_now && request.since.empty(); }

}  // namespace

Result<FollowEnd> LogFollower::follow(LogsRequest request, bool composite) {
  composite_ = composite;
  began_ = session_.clock().now();
  last_success_ = session_.clock().steady();
  auto end = follow_to_end(std::move(request));
  if (end && *end == FollowEnd::complete) PLZ_TRY(session_.out().write(lines_.rest()));
  return end;
}

Result<FollowEnd> LogFollower::follow_to_end(LogsRequest request) {
  std::chrono::milliseconds pause = kFirstPause;
  while (true) {
    const uint64_t received_before = received_;
    auto done = follow_once(request);
    if (interrupt_.raised()) return FollowEnd::interrupted;
    if (done) return FollowEnd::complete;
    if (session_.out().reader_gone()) return FollowEnd::reader_gone;
    if (!is_worth_another_try(done.error())) return fail(std::move(done).error());
    if (session_.clock().steady() - last_success_ > kPatience)
      return fail(std::move(done).error().with_context("following the log"));
    if (received_ != received_before) pause = kFirstPause;
    if (pause == kLongestPause) tell_of_trouble(done.error());
    if (interrupt_.wait_for(pause)) return FollowEnd::interrupted;
    pause = std::min(pause * 2, kLongestPause);
    request = resumed(std::move(request));
  }
}

Result<void> LogFollower::follow_once(const LogsRequest& request) {
  PLZ_ASSIGN(Endpoint endpoint, session_.endpoint());
  ApiClient api(std::move(endpoint), session_.client_settings());
  auto subscription = interrupt_.on_raise([&api] { api.cancel(); });
  return api.logs(request, [this](std::string_view bytes) { return take(bytes); });
}

Result<void> LogFollower::take(std::string_view bytes) {
  last_success_ = session_.clock().steady();
  if (composite_) return session_.out().write(lines_.admit(bytes));
  const uint64_t skipped = std::min<uint64_t>(to_skip_, bytes.size());
  to_skip_ -= skipped;
  bytes.remove_prefix(skipped);
  PLZ_TRY(session_.out().write(bytes));
  received_ += bytes.size();
  return {};
}

LogsRequest LogFollower::resumed(LogsRequest request) {
  if (composite_) lines_.restart();
  if (begins_at_offset(request)) {
    if (!composite_) request.offset += std::exchange(received_, 0);
    return request;
  }
  if (request.from_now) request.since = format_rfc3339(began_);
  request.from_now = false;
  to_skip_ = received_;
  return request;
}

void LogFollower::tell_of_trouble(const Error& error) {
  if (std::exchange(trouble_told_, true)) return;
  session_.messages().warning("The controller does not answer; still trying (" + error.message + ")");
}

}  // namespace plz
