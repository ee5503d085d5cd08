// A request's body on its way from the connection to the handler.
#pragma once

#include <chrono>
#include <cstdint>

#include "net/activity_clock.h"
#include "net/http_parser.h"
#include "net/http_types.h"
#include "net/input_buffer.h"
#include "net/transport.h"

namespace plz {

// Reads the connection in the calling thread: what the handler does not take stays in the socket, so
// the peer is held back and no memory fills up. All references outlive it.
class RequestBody final : public BodyReader {
 public:
  RequestBody(Transport& transport, InputBuffer& input, HttpParser& parser, ActivityClock& activity,
              bool expects_continue, std::chrono::milliseconds stall_timeout);

  // timeout: no byte came in time. unavailable: the peer is gone. invalid: wrong chunks.
  Result<size_t> read(void* buffer, size_t size) override;
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
  HttpParser& parser_;
  ActivityClock& activity_;
  const std::chrono::milliseconds stall_timeout_;
  const bool chunked_;
  uint64_t remaining_;
  bool expects_continue_;
  bool complete_ = false;
  bool broken_ = false;
};

}  // namespace plz
