// An answer on its way to the connection.
#pragma once

#include <sys/uio.h>

#include <string>
#include <string_view>

#include "net/http_types.h"
#include "net/transport.h"

namespace plz {

// How a body's end is told.
enum class Framing {
  none,    // 204, 304
  length,  // Content-Length
  chunked,
  close,  // by closing: HTTP/1.0
};

// Status line and header. Fields that belong to the connection (Content-Length, Transfer-Encoding,
// Connection, X-Request-Id, Server, Date) are this function's; the response's own are left out, and so are
// fields that would break the header's lines.
std::string format_response_head(const Response& response, Framing framing, bool keep_alive,
                                 std::string_view request_id);

// Bytes that wait for the socket: a head, a body and a tail, sent together.
class Outbox {
 public:
  bool empty() const { return count_ == 0; }
  // Only when empty. The head may be left over from an earlier call, with nothing written since.
  void set(std::string head, std::string body, std::string_view tail = {});
  // `done` once all of it is written; `bytes` counts what this call wrote, in any case.
  IoResult write(Transport& transport);
  std::string take_body() { return std::move(body_); }  // to use its memory again; when empty

 private:
  std::string head_, body_;
  iovec parts_[3];
  int count_ = 0;
};

// The line before a chunk of that size.
std::string chunk_header(size_t bytes);

}  // namespace plz
