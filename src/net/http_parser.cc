#include "net/http_parser.h"

#include <strings.h>

#include <algorithm>

#include <boost/beast/http/basic_parser.hpp>

namespace plz {

namespace http = boost::beast::http;
using boost::beast::error_code;
using BeastView = boost::beast::string_view;

struct HttpParser::Impl {
  virtual ~Impl() = default;
  virtual size_t put(std::string_view bytes, error_code& error) = 0;
  virtual void put_eof(error_code& error) = 0;
  virtual bool is_done() const = 0;

  size_t max_head_bytes = 0;
  bool refuses_folding = false;
  size_t scanned = 0;  // no end of the head before this
  bool head_done = false;
  MessageHead head;
  const Take* take = nullptr;
  bool take_is_full = false;
};

namespace {

template <bool kIsRequest>
class Parser final : public HttpParser::Impl, private http::basic_parser<kIsRequest> {
  using Base = http::basic_parser<kIsRequest>;

 public:
  explicit Parser(bool skip_body) {
    Base::body_limit(boost::none);
    // Ours is checked before Beast sees the head.
    Base::header_limit(UINT32_MAX);
    Base::skip(skip_body);
  }

  size_t put(std::string_view bytes, error_code& error) override {
    return Base::put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  }
  void put_eof(error_code& error) override { Base::put_eof(error); }
  bool is_done() const override { return Base::is_done(); }

 private:
  void on_request_impl(http::verb, BeastView method, BeastView target, int version, error_code&) override {
    head.method.assign(method.data(), method.size());
    head.target.assign(target.data(), target.size());
    head.version = version;
  }
  void on_response_impl(int status, BeastView, int version, error_code&) override {
    head.status = status;
    head.version = version;
  }
  void on_field_impl(http::field, BeastView name, BeastView value, error_code&) override {
    // After the body come trailers, which plz has no use for.
    if (!head_done) head.headers.add(std::string(name.data(), name.size()), std::string(value.data(), value.size()));
  }
  void on_header_impl(error_code&) override {
    head_done = true;
    head.keep_alive = Base::keep_alive();
    head.chunked = Base::chunked();
    if (auto length = Base::content_length()) head.content_length = *length;
  }
  void on_body_init_impl(boost::optional<uint64_t> const&, error_code&) override {}
  size_t on_body_impl(BeastView body, error_code&) override { return give(body); }
  void on_chunk_header_impl(uint64_t, BeastView, error_code&) override {}
  size_t on_chunk_body_impl(uint64_t, BeastView body, error_code&) override { return give(body); }
  void on_finish_impl(error_code&) override {}

  size_t give(BeastView body) {
    size_t taken = (*take)({body.data(), body.size()});
    take_is_full = taken < body.size();
    return taken;
  }
};

tl::unexpected<SyntaxError> malformed(const error_code& error) {
  return tl::unexpected<SyntaxError>({400, "the message is not HTTP/1.1: " + error.message()});
}

// RFC 9112, 5.2: a field that goes on in the next line is refused, since others take it for something else.
bool is_folded(std::string_view head) { return head.find("\r\n ") != head.npos || head.find("\r\n\t") != head.npos; }

// Says early what can never become a head: another protocol would otherwise wait for a timeout.
bool is_hopeless(std::string_view bytes) {
  auto first = static_cast<unsigned char>(bytes.front());
  if (first <= 0x20 || first >= 0x7f) return true;
  size_t line_end = bytes.find('\n');
  return line_end != bytes.npos && bytes[line_end - 1] != '\r';
}

}  // namespace

HttpParser::HttpParser(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpParser::HttpParser(HttpParser&&) noexcept = default;
HttpParser& HttpParser::operator=(HttpParser&&) noexcept = default;
HttpParser::~HttpParser() = default;

HttpParser HttpParser::for_request(size_t header_limit) {
  auto impl = std::make_unique<Parser<true>>(false);
  impl->max_head_bytes = header_limit;
  impl->refuses_folding = true;
  return HttpParser(std::move(impl));
}

HttpParser HttpParser::for_response(size_t header_limit, bool to_head) {
  auto impl = std::make_unique<Parser<false>>(to_head);
  impl->max_head_bytes = header_limit;
  return HttpParser(std::move(impl));
}

tl::expected<size_t, SyntaxError> HttpParser::parse_head(std::string_view bytes) {
  if (bytes.empty()) return 0;
  if (is_hopeless(bytes)) return tl::unexpected<SyntaxError>({400, "the message is not HTTP/1.1"});
  // Beast is given the head whole: piecemeal, it limits each piece and not their sum.
  size_t end = bytes.find("\r\n\r\n", impl_->scanned);
  if (std::min(end, bytes.size()) > impl_->max_head_bytes)
    return tl::unexpected<SyntaxError>(
        {431, "the header is larger than " + std::to_string(impl_->max_head_bytes) + " bytes"});
  if (end == bytes.npos) {
    impl_->scanned = bytes.size() < 3 ? 0 : bytes.size() - 3;
    return 0;
  }
  if (impl_->refuses_folding && is_folded(bytes.substr(0, end)))
    return tl::unexpected<SyntaxError>({400, "a header is folded over several lines"});
  error_code error;
  size_t used = impl_->put(bytes.substr(0, end + 4), error);
  if (error) return malformed(error);
  return used;
}

MessageHead& HttpParser::head() { return impl_->head; }

tl::expected<size_t, SyntaxError> HttpParser::parse_body(std::string_view bytes, const Take& take) {
  impl_->take = &take;
  impl_->take_is_full = false;
  size_t consumed = 0;
  while (consumed < bytes.size() && !impl_->is_done() && !impl_->take_is_full) {
    error_code error;
    consumed += impl_->put(bytes.substr(consumed), error);
    if (error == http::error::need_more) break;
    if (error) return malformed(error);
  }
  return consumed;
}

bool HttpParser::finish() {
  if (impl_->is_done()) return true;
  if (!impl_->head_done) return false;
  error_code error;
  impl_->put_eof(error);
  return !error;
}

bool HttpParser::complete() const { return impl_->is_done(); }

}  // namespace plz
