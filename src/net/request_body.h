// A request's body on its way from the connection to the handler.
#pragma once

#include <chrono>
#include <cstdint>

#include "net/activity_clock.h"
#include "net/handler_pool.h"
#include "net/http_parser.h"
#include "net/http_types.h"
#include "net/input_buffer.h"
#include "net/memory_budget.h"
#include "net/transport.h"

namespace plz {

// How slow a body may be: no byte for `stall_timeout`, and no more waits in all than that and a second for each
// `bytes_a_second` that came.
struct BodyPatience {
  std::chrono::milliseconds stall_timeout;
  uint64_t bytes_a_second;
  std::chrono::milliseconds for_bytes(uint64_t bytes) const {
    return stall_timeout + std::chrono::milliseconds(bytes / bytes_a_second * 1000);
  }
};

// Reads the connection in the calling thread, a handler's: what the handler does not take stays in the socket, so
// the peer is held back and no memory fills up. While it waits, others run in the handler's place. All references
// outlive it.
class RequestBody final : public BodyReader {
 public:
  struct Connection {
    Transport& transport;
    InputBuffer& input;
    MemoryShare& input_share;
    HttpParser& parser;
  };
  RequestBody(Connection connection, ActivityClock& activity, HandlerPool& pool, MemoryBudget& budget,
              bool expects_continue, BodyPatience patience);

  // timeout: bytes came too slowly. unavailable: the peer is gone, or others need the place. invalid: wrong chunks.
  Result<size_t> read(void* buffer, size_t size) override;
  Result<void> hold(size_t bytes) override;
  // As read, without blocking; `end` is the body's end.
  IoResult try_read(void* buffer, size_t size);

  bool complete() const { return complete_; }
  // No use reading on: an error was met, or the peer waits for a go-ahead that it never got.
  bool unreadable() const { return broken_ || expects_continue_; }
  // Known to be longer than that; a chunked body never is.
  bool longer_than(uint64_t bytes) const { return !chunked_ && remaining_ > bytes; }

 private:
  IoResult try_read_sized(void* buffer, size_t size);
  IoResult try_read_chunked(void* buffer, size_t size);
  IoResult fill_input();
  Result<void> send_continue();
  Result<void> wait(IoResult::State want);
  tl::unexpected<Error> break_off(ErrorCode code, std::string_view message);

  Transport& transport_;
  InputBuffer& input_;
  MemoryShare& input_share_;
  HttpParser& parser_;
  ActivityClock& activity_;
  HandlerPool& pool_;
  PeerWait peer_wait_;
  MemoryShare held_;
  const BodyPatience patience_;
  std::chrono::milliseconds waited_{0};
  uint64_t received_ = 0;
  const bool chunked_;
  uint64_t remaining_;
  bool expects_continue_;
  bool complete_ = false;
  bool broken_ = false;
};

}  // namespace plz
