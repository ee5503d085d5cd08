// One connection of a server: reads requests, has them handled, sends the answers.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

#include "net/event_loop.h"
#include "net/http_parser.h"
#include "net/http_types.h"
#include "net/input_buffer.h"
#include "net/request_body.h"
#include "net/response_writer.h"
#include "net/server_core.h"
#include "net/transport.h"

namespace plz {

// What a stream's wake function holds: it survives the connection and the server.
class StreamWaker : public std::enable_shared_from_this<StreamWaker> {
 public:
  StreamWaker(std::weak_ptr<EventLoop> loop, ServerConnection* connection)
      : loop_(std::move(loop)), connection_(connection) {}
  void wake();                              // from any thread
  void detach() { connection_ = nullptr; }  // on the loop's thread

 private:
  std::weak_ptr<EventLoop> loop_;
  std::atomic<bool> pending_{false};
  ServerConnection* connection_;  // read on the loop's thread
};

// Lives on the loop's thread, but for the phase `handling`: then the handler's thread owns
// transport, input, body and outbox, and the loop leaves them alone.
//
//   handshaking → reading_head → (buffering_body →) handling → writing | streaming
//                      ↑______________________ (draining ←) ______|        |
//                                     lingering ← ____________________________|     any → closed
class ServerConnection : public std::enable_shared_from_this<ServerConnection> {
 public:
  using Time = std::chrono::steady_clock::time_point;
  ServerConnection(ServerCore& core, std::unique_ptr<Transport> transport, Peer peer);

  void start();
  void close_when_answered();
  void abort();
  bool is_expired(Time now) const { return now >= deadline_; }
  void expire();
  void on_wake();
  // Holds memory, and waits for nothing but its peer.
  bool is_slow() const;
  Time deadline() const { return deadline_; }
  void end_for_others();

 private:
  enum class Phase {
    handshaking,
    reading_head,
    buffering_body,  // a small body is awaited here, so that slow peers hold no handler's thread
    handling,
    writing,
    streaming,
    draining,   // reads what the handler left of the body
    lingering,  // the answer is sent, the peer may still be sending: closing now could lose the answer
    closed,
  };

  // What a handler left of a body is read up to here, to keep the connection.
  static constexpr size_t kMaxDiscardedBytes = 1u << 20;

  // On the loop's thread.
  void advance();
  void shake_hands();
  void begin_request();
  void read_head();
  void on_head();
  std::optional<Error> check_head(const MessageHead& head, int& status) const;
  void buffer_body();
  void dispatch();
  void on_handled();
  void answer_error(int status, const Error& error);
  void write_answer();
  void on_answer_sent();
  void drain();
  void linger();
  void start_stream();
  void pump();
  bool pull_stream();
  StreamSource::State pull_into(std::string& buffer);
  void watch_peer();
  void close();
  IoResult read_input();
  void refuse_for_memory();
  void await(IoResult::State want);
  void await_taking(const IoResult& result);
  void await_readable();
  void await_writable();
  void set_deadline(std::chrono::milliseconds from_now);
  void clear_deadline() { deadline_ = Time::max(); }

  // On the handler's thread.
  void run_handler();
  Response call_handler();
  Response within_memory(Response response);
  void prepare_answer(Response response);

  ServerCore& core_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<FdWatch> watch_;
  const Peer peer_;
  Phase phase_ = Phase::handshaking;
  Time deadline_ = Time::max();
  bool read_awaited_ = false, write_awaited_ = false;
  bool aborted_ = false;
  size_t discarded_ = 0;            // while draining or lingering
  Time last_moment_ = Time::max();  // of the body that is buffered, however it trickles

  InputBuffer input_;
  MemoryShare input_share_, outbox_share_;
  std::optional<HttpParser> parser_;
  std::optional<RequestBody> body_;
  Request request_;

  Outbox outbox_;
  Framing framing_ = Framing::length;
  bool keep_alive_ = true;
  std::shared_ptr<StreamSource> stream_;
  std::shared_ptr<StreamWaker> waker_;
  bool stream_ended_ = false;
  bool pump_posted_ = false;
};

}  // namespace plz
