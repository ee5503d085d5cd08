#include "net/server_connection.h"

#include <strings.h>
#include <sys/socket.h>

#include <algorithm>

#include <fmt/core.h>

#include "base/log.h"
#include "base/text.h"
#include "base/uuid.h"
#include "net/problem.h"
#include "net/status.h"

namespace plz {
namespace {

using namespace std::chrono_literals;
using IoState = IoResult::State;

constexpr size_t kSmallBodyBytes = 64u << 10;
constexpr auto kLingerTime = 2s;

bool equals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

bool is_for_memory(const IoResult& result) { return result.state == IoState::failed && result.error_number == ENOBUFS; }

bool is_sane_id(std::string_view id) {
  auto is_sane = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == ':';
  };
  return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), is_sane);
}

std::string request_id(const Headers& headers, const Clock& clock) {
  auto given = headers.find("X-Request-Id");
  if (given && is_sane_id(*given)) return std::string(*given);
  return Uuid::make_v7(clock).to_string();
}

}  // namespace

ServerConnection::ServerConnection(ServerCore& core, std::unique_ptr<Transport> transport, Peer peer)
    : core_(core),
      transport_(std::move(transport)),
      watch_(std::make_unique<FdWatch>(*core.loop, transport_->fd())),
      peer_(std::move(peer)),
      input_share_(core.input_memory),
      outbox_share_(core.memory) {}

void ServerConnection::start() {
  if (!watch_->is_watching()) return close();
  set_deadline(core_.settings.header_timeout);
  shake_hands();
}

void ServerConnection::advance() {
  switch (phase_) {
    case Phase::handshaking: return shake_hands();
    case Phase::reading_head: return read_head();
    case Phase::buffering_body: return buffer_body();
    case Phase::writing: return write_answer();
    case Phase::streaming: return pump();
    case Phase::draining: return drain();
    case Phase::lingering: return linger();
    case Phase::handling:
    case Phase::closed: return;
  }
}

void ServerConnection::shake_hands() {
  IoResult result = transport_->handshake();
  if (result.state == IoState::done) return begin_request();
  await(result.state);
}

void ServerConnection::begin_request() {
  if (core_.stopping) return close();
  body_.reset();
  request_ = {};
  parser_.emplace(HttpParser::for_request(core_.settings.max_header_bytes));
  phase_ = Phase::reading_head;
  keep_alive_ = true;
  stream_ended_ = false;
  input_.release_if_empty();
  input_share_.hold(input_.capacity());
  set_deadline(input_.empty() ? core_.settings.idle_connection_timeout : core_.settings.header_timeout);
  read_head();
}

void ServerConnection::read_head() {
  for (;;) {
    // RFC 9112, 2.2: empty lines before a request are to be skipped.
    while (!input_.empty() && (input_.view().front() == '\r' || input_.view().front() == '\n')) input_.consume(1);
    auto used = parser_->parse_head(input_.view());
    if (!used) return answer_error(used.error().status, {ErrorCode::invalid, used.error().message, {}});
    if (*used > 0) {
      input_.consume(*used);
      return on_head();
    }
    bool first_bytes = input_.empty();
    IoResult result = read_input();
    if (is_for_memory(result)) return refuse_for_memory();
    if (result.state != IoState::done) return await(result.state);
    if (first_bytes) set_deadline(core_.settings.header_timeout);
  }
}

std::optional<Error> ServerConnection::check_head(const MessageHead& head, int& status) const {
  status = 400;
  auto wrong = [](std::string message) { return Error{ErrorCode::invalid, std::move(message), {}}; };
  if (head.version >= 11 && !head.headers.find("Host")) return wrong("the request has no Host header");
  // Whoever stands between could go by the other one.
  for (const char* name : {"Host", "Content-Length", "Transfer-Encoding", "Expect"})
    if (head.headers.count(name) > 1) return wrong(fmt::format("the request has several {} headers", name));
  if (auto encoding = head.headers.find("Transfer-Encoding")) {
    if (head.version < 11) return wrong("an HTTP/1.0 request cannot have a Transfer-Encoding");
    if (!equals(*encoding, "chunked")) {
      status = 501;
      return wrong("the only Transfer-Encoding that is known is chunked");
    }
  }
  if (auto expect = head.headers.find("Expect"); expect && !equals(*expect, "100-continue")) {
    status = 417;
    return wrong("the only Expect that is known is 100-continue");
  }
  return std::nullopt;
}

void ServerConnection::on_head() {
  core_.activity.touch();
  MessageHead& head = parser_->head();
  request_.id = request_id(head.headers, core_.clock);
  int status = 400;
  if (auto error = check_head(head, status)) return answer_error(status, *error);
  auto target = parse_target(head.target);
  if (!target) return answer_error(400, target.error());
  bool expects_continue = head.version >= 11 && head.headers.find("Expect");
  const BodyPatience patience{core_.settings.body_stall_timeout,
                              std::max<uint64_t>(core_.settings.body_bytes_a_second, 1)};
  body_.emplace(RequestBody::Connection{*transport_, input_, input_share_, *parser_}, core_.activity, *core_.pool,
                core_.memory, expects_continue, patience);
  request_.method = head.method;
  request_.target = std::move(*target);
  request_.headers = std::move(head.headers);
  request_.peer = peer_;
  request_.body = &*body_;
  bool small = head.content_length.value_or(0) > 0 && *head.content_length <= kSmallBodyBytes;
  if (!small || expects_continue) return dispatch();
  phase_ = Phase::buffering_body;
  set_deadline(core_.settings.body_stall_timeout);
  last_moment_ = std::chrono::steady_clock::now() + patience.for_bytes(*head.content_length);
  buffer_body();
}

void ServerConnection::buffer_body() {
  while (input_.size() < *parser_->head().content_length) {
    IoResult result = read_input();
    if (is_for_memory(result)) return refuse_for_memory();
    if (result.state != IoState::done) return await(result.state);
    set_deadline(core_.settings.body_stall_timeout);
    deadline_ = std::min(deadline_, last_moment_);
  }
  dispatch();
}

void ServerConnection::dispatch() {
  phase_ = Phase::handling;
  clear_deadline();
  auto submitted = core_.pool->submit([self = shared_from_this()] { self->run_handler(); });
  if (submitted) return;
  log_error("request {}: {}", request_.id, submitted.error().message);
  answer_error(503, submitted.error());
}

void ServerConnection::on_handled() {
  if (aborted_) return close();
  if (stream_) return start_stream();
  phase_ = Phase::writing;
  write_answer();
}

void ServerConnection::answer_error(int status, const Error& error) {
  if (request_.id.empty()) request_.id = Uuid::make_v7(core_.clock).to_string();
  Response response = problem_response(status, error, request_.id);
  keep_alive_ = false;
  std::string head = format_response_head(response, Framing::length, keep_alive_, request_.id);
  outbox_.set(std::move(head), std::move(response.body));
  phase_ = Phase::writing;
  clear_deadline();
  write_answer();
}

void ServerConnection::write_answer() {
  IoResult result = outbox_.write(*transport_);
  if (result.state == IoState::done) {
    outbox_.take_body();
    outbox_share_.hold(0);
    return on_answer_sent();
  }
  await_taking(result);
}

void ServerConnection::on_answer_sent() {
  core_.activity.touch();
  discarded_ = 0;
  bool whole = body_ && body_->complete();
  if (keep_alive_ && !core_.stopping) {
    if (whole) return begin_request();
    phase_ = Phase::draining;
    set_deadline(core_.settings.body_stall_timeout);
    return drain();
  }
  transport_->shut_down_writing();
  if (whole && input_.empty()) return close();
  phase_ = Phase::lingering;
  set_deadline(kLingerTime);
  linger();
}

void ServerConnection::drain() {
  while (!body_->complete()) {
    IoResult result = body_->try_read(core_.scratch.get(), ServerCore::kScratchBytes);
    if (result.state == IoState::end) break;
    if (result.state != IoState::done) return await(result.state);
    discarded_ += result.bytes;
    if (discarded_ > kMaxDiscardedBytes) return close();
  }
  begin_request();
}

void ServerConnection::linger() {
  for (;;) {
    IoResult result = transport_->read(core_.scratch.get(), ServerCore::kScratchBytes);
    if (result.state != IoState::done) return await(result.state);
    discarded_ += result.bytes;
    if (discarded_ > kMaxDiscardedBytes) return close();
  }
}

IoResult ServerConnection::read_input() {
  IoResult result = transport_->read(core_.scratch.get(), ServerCore::kScratchBytes);
  if (result.state != IoState::done) return result;
  const size_t capacity = input_.capacity_for(result.bytes);
  while (!input_share_.hold(capacity))
    if (!core_.end_slowest(this)) return {IoState::failed, 0, ENOBUFS};
  input_.append(core_.scratch.get(), result.bytes);
  core_.activity.touch();
  return result;
}

void ServerConnection::refuse_for_memory() {
  input_ = {};
  input_share_.hold(0);
  answer_error(503, {ErrorCode::unavailable, "the server has no memory left for the request: others wait with theirs",
                     "try again later"});
}

void ServerConnection::await(IoState want) {
  if (want == IoState::want_read) return await_readable();
  if (want == IoState::want_write) return await_writable();
  close();
}

void ServerConnection::await_taking(const IoResult& result) {
  if (result.bytes > 0) core_.activity.touch();
  if (result.bytes > 0 || deadline_ == Time::max()) set_deadline(core_.settings.body_stall_timeout);
  await(result.state);
}

void ServerConnection::await_readable() {
  if (read_awaited_) return;
  read_awaited_ = true;
  watch_->when_readable([self = shared_from_this()] {
    self->read_awaited_ = false;
    if (self->phase_ == Phase::streaming) self->watch_peer();
    // TLS may have waited for this to go on writing.
    if (self->phase_ != Phase::streaming || !self->outbox_.empty()) self->advance();
  });
}

void ServerConnection::await_writable() {
  if (write_awaited_) return;
  write_awaited_ = true;
  watch_->when_writable([self = shared_from_this()] {
    self->write_awaited_ = false;
    self->advance();
  });
}

void ServerConnection::set_deadline(std::chrono::milliseconds from_now) {
  deadline_ = std::chrono::steady_clock::now() + from_now;
}

void ServerConnection::expire() {
  clear_deadline();
  bool within_head = phase_ == Phase::reading_head && !input_.empty();
  if (within_head || phase_ == Phase::buffering_body)
    return answer_error(408, {ErrorCode::timeout, "the request did not arrive in time", {}});
  close();
}

bool ServerConnection::is_slow() const {
  switch (phase_) {
    case Phase::reading_head:
    case Phase::buffering_body: return !input_.empty();
    case Phase::writing:
    case Phase::streaming: return !outbox_.empty() && deadline_ != Time::max();
    default: return false;
  }
}

void ServerConnection::end_for_others() {
  clear_deadline();
  if (phase_ == Phase::reading_head || phase_ == Phase::buffering_body) return refuse_for_memory();
  close();
}

bool ServerCore::end_slowest(const ServerConnection* but) {
  std::shared_ptr<ServerConnection> slowest;
  for (const auto& [key, connection] : connections) {
    if (key == but || !connection->is_slow()) continue;
    if (!slowest || connection->deadline() < slowest->deadline()) slowest = connection;
  }
  if (slowest) slowest->end_for_others();
  return slowest != nullptr;
}

void ServerConnection::close_when_answered() {
  switch (phase_) {
    case Phase::handshaking:
    case Phase::reading_head:
    case Phase::draining: return close();
    default: return;
  }
}

void ServerConnection::abort() {
  if (phase_ != Phase::handling) return close();
  // The handler's thread is using the descriptor: it is woken from its waits, and told by errors.
  aborted_ = true;
  ::shutdown(transport_->fd(), SHUT_RDWR);
}

void ServerConnection::close() {
  if (phase_ == Phase::closed) return;
  auto self = shared_from_this();
  phase_ = Phase::closed;
  if (waker_) waker_->detach();
  waker_ = nullptr;
  stream_ = nullptr;
  body_.reset();
  watch_ = nullptr;
  transport_ = nullptr;
  input_ = {};
  input_share_.hold(0);
  outbox_share_.hold(0);
  core_.connections.erase(this);
  if (--core_.connection_count > 0) return;
  std::lock_guard lock(core_.mutex);
  core_.all_closed.notify_all();
}

}  // namespace plz
