#include "net/http_client.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/text.h"
#include "net/client_connection.h"
#include "net/http_parser.h"

namespace plz {
namespace {

using std::chrono::milliseconds;

constexpr size_t kBufferBytes = 256u << 10;
constexpr size_t kMaxHeaderBytes = 128u << 10;

bool has_line_breaker(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

// What would end up as another request than the caller meant.
Result<void> check_request(const ClientRequest& request) {
  auto is_visible = [](char c) { return c > 0x20 && c < 0x7f; };
  bool good_target =
      request.target.starts_with('/') && std::all_of(request.target.begin(), request.target.end(), is_visible);
  bool good_method = !request.method.empty() && std::all_of(request.method.begin(), request.method.end(), is_visible);
  if (!good_target || !good_method)
    return fail(ErrorCode::invalid,
                fmt::format("{} {} is no HTTP request", printable(request.method), printable(request.target)));
  for (const auto& [name, value] : request.headers.items())
    if (name.empty() || name.find_first_of(" :\t") != name.npos || has_line_breaker(name) || has_line_breaker(value))
      return fail(ErrorCode::invalid, fmt::format("{} is no HTTP header field", printable(name)));
  return {};
}

std::string format_head(const ClientRequest& request, const Endpoint& endpoint) {
  std::string head = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: plz\r\n", request.method, request.target,
                                 endpoint.authority());
  bool is_chunked = request.body_source != nullptr;
  bool has_body = !is_chunked && (!request.body.empty() || request.method == "POST" || request.method == "PUT");
  if (is_chunked) head += "Transfer-Encoding: chunked\r\n";
  if (has_body) head += fmt::format("Content-Length: {}\r\n", request.body.size());
  for (const auto& [name, value] : request.headers.items()) head += name + ": " + value + "\r\n";
  head += "\r\n";
  return head;
}

}  // namespace

struct HttpClient::State {
  State(Endpoint endpoint, ClientSettings settings)
      : endpoint(std::move(endpoint)), settings(settings), connection(this->endpoint, cancelled) {}

  const Endpoint endpoint;
  const ClientSettings settings;
  CancelSignal cancelled;
  ClientConnection connection;
  std::unique_ptr<char[]> buffer{new char[kBufferBytes]};
};

namespace {

// One request and its answer on a connection.
class Exchange {
 public:
  Exchange(ClientConnection& connection, char* buffer, const Endpoint& endpoint, const ClientRequest& request,
           milliseconds stall_timeout, const HttpClient::OnData* on_data)
      : connection_(connection),
        buffer_(buffer),
        endpoint_(endpoint),
        request_(request),
        stall_timeout_(stall_timeout),
        on_data_(on_data) {}
  // A connection that is not at the end of an answer is of no more use, also when the reader threw.
  ~Exchange() {
    if (!reusable_) connection_.close();
  }

  Result<ClientResponse> run() {
    PLZ_TRY(send());
    PLZ_TRY(receive_head());
    PLZ_TRY(receive_body());
    reusable_ = keep_alive_ && begin_ == end_;
    return std::move(response_);
  }
  bool has_received() const { return has_received_; }
  bool has_sent() const { return has_sent_; }

 private:
  bool is_success() const { return response_.status >= 200 && response_.status < 300; }
  Result<void> send();
  Result<void> send_parts(iovec* parts, int count);
  Result<void> send_chunks();
  Result<void> receive_head();
  Result<void> receive_body();
  Result<bool> receive_more();
  size_t take(std::string_view piece);
  std::string_view unused() const { return {buffer_ + begin_, end_ - begin_}; }
  tl::unexpected<Error> ended_early() const;
  tl::unexpected<Error> malformed(const SyntaxError& error) const;

  ClientConnection& connection_;
  char* const buffer_;
  const Endpoint& endpoint_;
  const ClientRequest& request_;
  const milliseconds stall_timeout_;
  const HttpClient::OnData* const on_data_;
  size_t begin_ = 0, end_ = 0;
  std::optional<HttpParser> parser_;
  std::optional<Error> send_error_, data_error_;
  ClientResponse response_;
  bool has_received_ = false;
  bool has_sent_ = false;
  bool keep_alive_ = false;
  bool reusable_ = false;
};

Result<void> Exchange::send() {
  std::string head = format_head(request_, endpoint_);
  iovec parts[2] = {{head.data(), head.size()}, {const_cast<char*>(request_.body.data()), request_.body.size()}};
  PLZ_TRY(send_parts(parts, request_.body.empty() ? 1 : 2));
  return request_.body_source ? send_chunks() : Result<void>{};
}

Result<void> Exchange::send_parts(iovec* parts, int count) {
  auto sent = connection_.send(parts, count, stall_timeout_);
  has_sent_ = has_sent_ || connection_.has_sent();
  if (sent) return {};
  // A server may answer before it has the whole request, and stop reading: the answer says why.
  bool may_have_answer = sent.error().code == ErrorCode::unavailable && has_sent_;
  if (!may_have_answer) return sent;
  send_error_ = std::move(sent).error();
  return {};
}

Result<void> Exchange::send_chunks() {
  // The buffer for the answer is free until the request is out.
  for (bool more = true; more && !send_error_;) {
    PLZ_ASSIGN(size_t size, request_.body_source(buffer_, kBufferBytes));
    more = size > 0;
    std::string head = fmt::format("{:x}\r\n", size);
    iovec parts[3] = {{head.data(), head.size()}, {buffer_, size}, {const_cast<char*>("\r\n"), 2}};
    PLZ_TRY(send_parts(parts, 3));
  }
  return {};
}

Result<bool> Exchange::receive_more() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == kBufferBytes && begin_ > 0) {
    std::copy(buffer_ + begin_, buffer_ + end_, buffer_);
    end_ -= begin_;
    begin_ = 0;
  }
  auto received = connection_.receive(buffer_ + end_, kBufferBytes - end_, stall_timeout_);
  if (!received) return fail(send_error_ ? *send_error_ : std::move(received).error());
  end_ += *received;
  if (*received > 0) has_received_ = true;
  return *received > 0;
}

Result<void> Exchange::receive_head() {
  for (;;) {
    parser_.emplace(HttpParser::for_response(kMaxHeaderBytes, request_.method == "HEAD"));
    for (;;) {
      auto used = parser_->parse_head(unused());
      if (!used) return malformed(used.error());
      begin_ += *used;
      if (*used > 0) break;
      PLZ_ASSIGN(bool more, receive_more());
      if (!more) return send_error_ ? fail(*send_error_) : ended_early();
    }
    // 1xx are notes on the way.
    if (parser_->head().status >= 200) break;
  }
  MessageHead& head = parser_->head();
  response_.status = head.status;
  response_.headers = std::move(head.headers);
  keep_alive_ = head.keep_alive && !send_error_;
  if (request_.on_head && is_success()) request_.on_head(response_.headers);
  return {};
}

Result<void> Exchange::receive_body() {
  if (auto length = parser_->head().content_length; length && !on_data_)
    response_.body.reserve(static_cast<size_t>(std::min<uint64_t>(*length, 64u << 20)));
  HttpParser::Take take_piece = [this](std::string_view piece) { return take(piece); };
  for (;;) {
    auto used = parser_->parse_body(unused(), take_piece);
    if (data_error_) return fail(std::move(*data_error_));
    if (!used) return malformed(used.error());
    begin_ += *used;
    if (parser_->complete()) return {};
    if (end_ - begin_ == kBufferBytes) return malformed({400, "a chunk's header is too long"});
    PLZ_ASSIGN(bool more, receive_more());
    if (more) continue;
    keep_alive_ = false;
    if (parser_->finish()) return {};
    return ended_early();
  }
}

size_t Exchange::take(std::string_view piece) {
  bool to_caller = on_data_ && is_success();
  if (!to_caller) {
    response_.body += piece;
    return piece.size();
  }
  if (piece.empty()) return 0;
  auto taken = (*on_data_)(piece);
  if (taken) return piece.size();
  data_error_ = std::move(taken).error();
  return 0;
}

tl::unexpected<Error> Exchange::ended_early() const {
  return fail(
      ErrorCode::unavailable,
      fmt::format("lost the connection to {}: it was closed before the answer was complete", endpoint_.to_string()));
}

tl::unexpected<Error> Exchange::malformed(const SyntaxError& error) const {
  return fail(ErrorCode::unavailable, fmt::format("{} does not speak HTTP: {}", endpoint_.to_string(), error.message));
}

}  // namespace

HttpClient::HttpClient(Endpoint endpoint, ClientSettings settings)
    : state_(std::make_unique<State>(std::move(endpoint), settings)) {}

HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

Result<ClientResponse> HttpClient::call(const ClientRequest& request) { return exchange(request, nullptr); }

Result<ClientResponse> HttpClient::stream(const ClientRequest& request, const OnData& on_data) {
  return exchange(request, &on_data);
}

Result<ClientResponse> HttpClient::exchange(const ClientRequest& request, const OnData* on_data) {
  PLZ_TRY(check_request(request));
  State& state = *state_;
  auto stall_timeout = request.stall_timeout.count() > 0 ? request.stall_timeout : state.settings.stall_timeout;
  for (bool first = true;; first = false) {
    bool kept = state.connection.is_usable();
    if (!kept) PLZ_TRY(state.connection.connect(state.settings.connect_timeout));
    Exchange exchange(state.connection, state.buffer.get(), state.endpoint, request, stall_timeout, on_data);
    auto response = exchange.run();
    if (response) return response;
    bool nothing_sent = !exchange.has_sent();
    // The server closed a kept connection just when it was used again.
    bool may_repeat = first && kept && response.error().code == ErrorCode::unavailable && !exchange.has_received() &&
                      !request.body_source && (request.idempotent || nothing_sent);
    if (!may_repeat) return response;
  }
}

void HttpClient::cancel() { state_->cancelled.set(); }

}  // namespace plz
