// The syntax of HTTP/1.1 messages: Boost.Beast's parser behind plain types, so that it is compiled
// once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "net/http_types.h"

namespace plz {

// Why a message is not HTTP, and the status that a server answers with.
struct SyntaxError {
  int status = 400;
  std::string message;
};

struct MessageHead {
  std::string method, target;  // of a request
  int status = 0;              // of a response
  int version = 11;            // 10 or 11
  Headers headers;
  bool keep_alive = false;
  bool chunked = false;
  std::optional<uint64_t> content_length;
};

// For one message. The caller holds the bytes; what is consumed must not be given again.
class HttpParser {
 public:
  static HttpParser for_request(size_t header_limit);
  // The answer to HEAD has no body, whatever its headers say.
  static HttpParser for_response(size_t header_limit, bool to_head);
  HttpParser(HttpParser&&) noexcept;
  HttpParser& operator=(HttpParser&&) noexcept;
  ~HttpParser();

  // Returns how many bytes the head took, 0 while it is incomplete: then the same bytes and more
  // are given again.
  tl::expected<size_t, SyntaxError> parse_head(std::string_view bytes);
  // Valid once parse_head returned more than 0.
  MessageHead& head();

  // Decodes a piece of the body. `take` gets decoded bytes and returns how many it had room for;
  // fewer than given ends the call. Returns how many bytes of the input were consumed.
  using Take = std::function<size_t(std::string_view)>;
  tl::expected<size_t, SyntaxError> parse_body(std::string_view bytes, const Take& take);
  // The peer closed. True if that completes the message.
  bool finish();
  bool complete() const;

  struct Impl;

 private:
  explicit HttpParser(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace plz
