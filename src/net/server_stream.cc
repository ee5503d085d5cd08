// Of ServerConnection: answers that are streams.
#include <exception>

#include "base/log.h"
#include "base/text.h"
#include "net/server_connection.h"

namespace plz {
namespace {

using IoState = IoResult::State;

constexpr size_t kMaxPipelinedBytes = 64u << 10;
constexpr size_t kPullBytes = 256u << 10;
constexpr size_t kPullBytesWithoutRoom = 4u << 10;  // streams go on where memory is short, slowly
constexpr int kPullsInARow = 4;

}  // namespace

void StreamWaker::wake() {
  if (pending_.exchange(true)) return;
  auto loop = loop_.lock();
  if (!loop) return;
  loop->post([self = shared_from_this()] {
    self->pending_.exchange(false);
    if (self->connection_) self->connection_->on_wake();
  });
}

void ServerConnection::start_stream() {
  phase_ = Phase::streaming;
  waker_ = std::make_shared<StreamWaker>(core_.loop, this);
  try {
    stream_->on_wake([waker = waker_] { waker->wake(); });
  } catch (const std::exception& exception) {
    log_error("request {}: {}", request_.id, printable(exception.what()));
    return close();
  }
  input_.release_if_empty();
  input_share_.hold(input_.capacity());
  watch_peer();
  if (phase_ == Phase::streaming) pump();
}

void ServerConnection::on_wake() {
  if (phase_ == Phase::streaming && !pump_posted_) pump();
}

void ServerConnection::pump() {
  for (int turn = 0; turn < kPullsInARow; ++turn) {
    if (!outbox_.empty()) {
      IoResult result = outbox_.write(*transport_);
      if (result.state != IoState::done) return await_taking(result);
      core_.activity.touch();
      core_.buffers.give(outbox_.take_body());
      outbox_share_.hold(0);
    }
    clear_deadline();
    if (stream_ended_) {
      waker_->detach();
      waker_ = nullptr;
      return on_answer_sent();
    }
    if (!pull_stream()) return;
  }
  // Others have their turn.
  pump_posted_ = true;
  core_.loop->post([self = shared_from_this()] {
    self->pump_posted_ = false;
    if (self->phase_ == Phase::streaming) self->pump();
  });
}

// False when there is nothing to write for now, or ever.
bool ServerConnection::pull_stream() {
  std::string buffer = core_.buffers.take();
  auto state = pull_into(buffer);
  if (state == StreamSource::State::failed) {
    close();
    return false;
  }
  stream_ended_ = state == StreamSource::State::end;
  if (stream_ended_) stream_ = nullptr;
  if (buffer.empty() && state == StreamSource::State::waiting) {
    core_.buffers.give(std::move(buffer));
    outbox_share_.hold(0);
    return false;
  }
  bool chunked = framing_ == Framing::chunked;
  std::string head = chunked && !buffer.empty() ? chunk_header(buffer.size()) : std::string();
  std::string_view tail = !chunked ? "" : stream_ended_ ? "\r\n0\r\n\r\n" : "\r\n";
  if (buffer.empty()) tail = chunked && stream_ended_ ? "0\r\n\r\n" : "";
  outbox_share_.hold(buffer.capacity());
  outbox_.set(std::move(head), std::move(buffer), tail);
  return true;
}

StreamSource::State ServerConnection::pull_into(std::string& buffer) {
  try {
    return stream_->pull(buffer,
                         outbox_share_.hold(kPullBytes, core_.memory.half()) ? kPullBytes : kPullBytesWithoutRoom);
  } catch (const std::exception& exception) {
    log_error("request {}: {}", request_.id, printable(exception.what()));
    return StreamSource::State::failed;
  }
}

// While a stream is sent: notices that the peer left, and keeps what it sends meanwhile. A peer that
// closes just its own half is taken for gone: nothing tells the two apart.
void ServerConnection::watch_peer() {
  for (;;) {
    bool whole = body_->complete();
    if (input_.size() > kMaxPipelinedBytes) return;
    IoResult result = transport_->read(core_.scratch.get(), ServerCore::kScratchBytes);
    if (result.state == IoState::want_read) return await_readable();
    if (result.state == IoState::want_write) return;
    if (result.state != IoState::done) return close();
    if (whole && !input_share_.hold(input_.capacity_for(result.bytes))) return close();
    if (whole) input_.append(core_.scratch.get(), result.bytes);
  }
}

}  // namespace plz
