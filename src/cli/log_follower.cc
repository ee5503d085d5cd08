#include "cli/log_follower.h"

#include <algorithm>

#include <fmt/core.h>

namespace plz {
namespace {

constexpr std::chrono::milliseconds kFirstPause{20};
constexpr std::chrono::milliseconds kLongestPause{2'000};
// A stream that breaks sooner is none that was established: whatever broke it is still there.
constexpr std::chrono::seconds kEstablishedAfter{2};

Error given_up(Error error, ExecutionId id) {
  error.hint = fmt::format("the execution goes on; plz logs {} shows it again", id.to_string());
  return std::move(error).with_context("following the log");
}

Error not_shown(Error error, ExecutionId id) {
  error.hint = fmt::format("the execution goes on; to see it: plz logs {}; to end it: plz stop {}", id.to_string(),
                           id.to_string());
  return error;
}

}  // namespace

Result<FollowEnd> LogFollower::follow(LogsRequest request, bool composite) {
  request_ = std::move(request);
  composite_ = composite;
  began_ = session_.clock().now();
  auto end = follow_to_end();
  if (!end || *end != FollowEnd::complete) return end;
  auto written = session_.out().write(lines_.rest());
  if (session_.out().reader_gone()) return FollowEnd::reader_gone;
  if (!written) return fail(not_shown(std::move(written).error(), request_.id));
  return end;
}

Result<FollowEnd> LogFollower::follow_to_end() {
  std::chrono::milliseconds pause = kFirstPause;
  while (true) {
    const uint64_t received_before = received_;
    auto done = follow_once();
    if (interrupt_.raised()) return FollowEnd::interrupted;
    if (done) return FollowEnd::complete;
    if (session_.out().reader_gone()) return FollowEnd::reader_gone;
    if (session_.out().failure()) return fail(not_shown(*session_.out().failure(), request_.id));
    if (!is_temporary(done.error().code)) return fail(std::move(done).error());
    if (!is_patient()) return fail(given_up(std::move(done).error(), request_.id));
    if (received_ != received_before) pause = kFirstPause;
    if (pause == kLongestPause) tell_of_trouble(done.error());
    if (interrupt_.wait_for(pause)) return FollowEnd::interrupted;
    pause = std::min(pause * 2, kLongestPause);
    if (composite_) begin_anew();
  }
}

Result<void> LogFollower::follow_once() {
  began_stream_.reset();
  PLZ_ASSIGN(Endpoint endpoint, session_.endpoint());
  ApiClient api(std::move(endpoint), session_.client_settings());
  auto subscription = interrupt_.on_raise([&api] { api.cancel(); });
  // Changed while it is sent: what is asked for next.
  const LogsRequest request = request_;
  return api.logs(
      request, [this](std::string_view bytes) { return take(bytes); },
      [this](std::optional<uint64_t> offset) { begin_at(offset); });
}

void LogFollower::begin_at(std::optional<uint64_t> offset) {
  began_stream_ = session_.clock().steady();
  if (!offset) return;
  if (!first_offset_) first_offset_ = offset;
  request_.offset = *offset;
  request_.since.clear();
  request_.from_now = false;
}

// Asked after each failure.
bool LogFollower::is_patient() {
  const SteadyTime now = session_.clock().steady();
  if (began_stream_ && now - *began_stream_ >= kEstablishedAfter) failing_since_.reset();
  if (!failing_since_) failing_since_ = now;
  return now - *failing_since_ <= kPatience;
}

Result<void> LogFollower::take(std::string_view bytes) {
  failing_since_.reset();
  received_ += bytes.size();
  if (composite_) return session_.out().write(lines_.admit(bytes));
  PLZ_TRY(session_.out().write(bytes));
  request_.offset += bytes.size();
  return {};
}

// A composite has no offset to go on from.
void LogFollower::begin_anew() {
  lines_.restart();
  if (request_.from_now) request_.since = format_rfc3339(began_);
  request_.from_now = false;
}

void LogFollower::tell_of_trouble(const Error& error) {
  if (std::exchange(trouble_told_, true)) return;
  session_.messages().warning("The controller does not answer; still trying (" + error.message + ")");
}

}  // namespace plz
