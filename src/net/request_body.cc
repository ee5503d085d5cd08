#include "net/request_body.h"

#include <poll.h>

#include <cstring>

#include <fmt/core.h>

namespace plz {
namespace {

constexpr size_t kInputBytes = 64u << 10;
// Smaller reads go through the input buffer, so that a handler may read in small pieces.
constexpr size_t kDirectBytes = 16u << 10;
constexpr size_t kMaxChunkHeaderBytes = 16u << 10;
// A wait of this length is no pause of a peer that sends: its memory is another's before anybody is refused.
constexpr std::chrono::milliseconds kLongWait{1'000};

constexpr std::string_view kNoRoom = "the server has no memory left for the request: others wait with theirs";

}  // namespace

RequestBody::RequestBody(Connection connection, ActivityClock& activity, HandlerPool& pool, MemoryBudget& budget,
                         bool expects_continue, BodyPatience patience)
    : transport_(connection.transport),
      input_(connection.input),
      input_share_(connection.input_share),
      parser_(connection.parser),
      activity_(activity),
      pool_(pool),
      peer_wait_(pool),
      held_(budget),
      patience_(patience),
      chunked_(parser_.head().chunked),
      remaining_(parser_.head().content_length.value_or(0)),
      expects_continue_(expects_continue) {
  complete_ = !chunked_ && remaining_ == 0;
  if (complete_) expects_continue_ = false;
}

Result<size_t> RequestBody::read(void* buffer, size_t size) {
  if (broken_) return break_off(ErrorCode::unavailable, "the request body cannot be read");
  if (size == 0) return 0;
  if (expects_continue_) PLZ_TRY(send_continue());
  for (;;) {
    IoResult result = try_read(buffer, size);
    switch (result.state) {
      case IoResult::State::done: return result.bytes;
      case IoResult::State::end: return 0;
      case IoResult::State::want_read:
      case IoResult::State::want_write: PLZ_TRY(wait(result.state)); break;
      case IoResult::State::failed:
        if (result.error_number == EPROTO)
          return break_off(ErrorCode::invalid, "the request body has a malformed chunk");
        if (result.error_number == ENOBUFS) return break_off(ErrorCode::unavailable, kNoRoom);
        return break_off(ErrorCode::unavailable, "the client left before its request was complete");
    }
  }
}

IoResult RequestBody::try_read(void* buffer, size_t size) {
  if (complete_) return {IoResult::State::end};
  IoResult result = chunked_ ? try_read_chunked(buffer, size) : try_read_sized(buffer, size);
  if (result.state == IoResult::State::done) {
    activity_.touch();
    received_ += result.bytes;
  }
  if (result.state == IoResult::State::failed) broken_ = true;
  return result;
}

IoResult RequestBody::try_read_sized(void* buffer, size_t size) {
  size = static_cast<size_t>(std::min<uint64_t>(size, remaining_));
  IoResult result{IoResult::State::done, 0, 0};
  if (input_.empty() && size >= kDirectBytes) {
    result = transport_.read(buffer, size);
    if (result.state == IoResult::State::end) return {IoResult::State::failed, 0, ECONNRESET};
  } else {
    if (input_.empty()) result = fill_input();
    if (result.state == IoResult::State::done) {
      result.bytes = std::min(size, input_.size());
      memcpy(buffer, input_.view().data(), result.bytes);
      input_.consume(result.bytes);
    }
  }
  if (result.state == IoResult::State::done) remaining_ -= result.bytes;
  complete_ = remaining_ == 0;
  return result;
}

IoResult RequestBody::try_read_chunked(void* buffer, size_t size) {
  size_t taken = 0;
  HttpParser::Take take = [&](std::string_view piece) {
    size_t n = std::min(piece.size(), size - taken);
    memcpy(static_cast<char*>(buffer) + taken, piece.data(), n);
    taken += n;
    return n;
  };
  for (;;) {
    auto used = parser_.parse_body(input_.view(), take);
    if (!used) return {IoResult::State::failed, 0, EPROTO};
    input_.consume(*used);
    complete_ = parser_.complete();
    if (taken > 0) return {IoResult::State::done, taken, 0};
    if (complete_) return {IoResult::State::end};
    if (input_.size() > kMaxChunkHeaderBytes) return {IoResult::State::failed, 0, EPROTO};
    IoResult filled = fill_input();
    if (filled.state != IoResult::State::done) return filled;
  }
}

IoResult RequestBody::fill_input() {
  if (!input_share_.hold(input_.capacity_for(kInputBytes))) return {IoResult::State::failed, 0, ENOBUFS};
  IoResult result = transport_.read(input_.prepare(kInputBytes), kInputBytes);
  if (result.state == IoResult::State::end) return {IoResult::State::failed, 0, ECONNRESET};
  if (result.state == IoResult::State::done) input_.commit(result.bytes);
  return result;
}

Result<void> RequestBody::send_continue() {
  expects_continue_ = false;
  if (!input_.empty()) return {};  // the client did not wait
  std::string_view line = "HTTP/1.1 100 Continue\r\n\r\n";
  while (!line.empty()) {
    iovec part{const_cast<char*>(line.data()), line.size()};
    IoResult result = transport_.write(&part, 1);
    if (result.state == IoResult::State::done) line.remove_prefix(result.bytes);
    else if (result.state == IoResult::State::failed || result.state == IoResult::State::end)
      return break_off(ErrorCode::unavailable, "the client left before its request was complete");
    else PLZ_TRY(wait(result.state));
  }
  return {};
}

Result<void> RequestBody::wait(IoResult::State want) {
  const auto begin = std::chrono::steady_clock::now();
  const auto in_all = std::max(patience_.for_bytes(received_) - waited_, std::chrono::milliseconds(0));
  const auto at_most = std::min(patience_.stall_timeout, in_all);
  auto ready = peer_wait_.wait(transport_.fd(), want == IoResult::State::want_read ? POLLIN : POLLOUT, at_most);
  waited_ += std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  if (!ready) {
    broken_ = true;
    return fail(std::move(ready).error());
  }
  if (*ready) return {};
  if (at_most < patience_.stall_timeout)
    return break_off(ErrorCode::timeout,
                     fmt::format("the request body comes at less than {} bytes a second", patience_.bytes_a_second));
  return break_off(ErrorCode::timeout, fmt::format("no byte of the request body came for {} s",
                                                   std::chrono::duration<double>(patience_.stall_timeout).count()));
}

Result<void> RequestBody::hold(size_t bytes) {
  if (held_.hold(bytes)) return {};
  pool_.end_longest_wait(kLongWait);
  return break_off(ErrorCode::unavailable, kNoRoom);
}

tl::unexpected<Error> RequestBody::break_off(ErrorCode code, std::string_view message) {
  broken_ = true;
  return fail(code, std::string(message), code == ErrorCode::unavailable ? "try again later" : "");
}

}  // namespace plz
