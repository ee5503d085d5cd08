// Of ServerConnection: what runs on the handler's thread.
#include "base/caught.h"
#include "base/log.h"
#include "base/text.h"
#include "net/problem.h"
#include "net/server_connection.h"

namespace plz {
namespace {

constexpr size_t kSmallAnswerBytes = 4u << 10;

}  // namespace

void ServerConnection::run_handler() {
  Response response = within_memory(call_handler());
  (void)body_->hold(0);
  prepare_answer(std::move(response));
  // From this thread, which saves the client the loop's turn. The loop goes on with what is left.
  outbox_.write(*transport_);
  core_.activity.touch();
  core_.loop->post([self = shared_from_this()] { self->on_handled(); });
}

Response ServerConnection::call_handler() {
  auto answer = caught([&]() -> Result<Response> { return core_.handler(request_); });
  if (answer) return std::move(*answer);
  Error error = std::move(answer).error().with_context("the server cannot answer");
  log_error("request {}: {} {}: {}", request_.id, printable(request_.method), printable(request_.target.path),
            printable(error.message));
  if (error.code == ErrorCode::internal) error.hint = "the server's log has more under this request's id";
  return problem_response(error, request_.id);
}

void ServerConnection::prepare_answer(Response response) {
  bool without_body = response.status == 204 || response.status == 304;
  framing_ = Framing::length;
  if (response.stream) framing_ = parser_->head().version >= 11 ? Framing::chunked : Framing::close;
  if (without_body) framing_ = Framing::none;
  bool rest_is_in_the_way =
      !body_->complete() && (body_->unreadable() || response.stream || body_->longer_than(kMaxDiscardedBytes));
  keep_alive_ = parser_->head().keep_alive && framing_ != Framing::close && !rest_is_in_the_way && !core_.stopping;
  std::string head = format_response_head(response, framing_, keep_alive_, request_.id);
  if (without_body || request_.method == "HEAD") {
    response.body.clear();
    response.stream = nullptr;
  }
  stream_ = std::move(response.stream);
  if (stream_) response.body.clear();
  outbox_.set(std::move(head), std::move(response.body));
}

// Large answers wait for their takers within the server's memory, too.
Response ServerConnection::within_memory(Response response) {
  if (response.body.size() <= kSmallAnswerBytes || outbox_share_.hold(response.body.capacity())) return response;
  core_.loop->post([self = shared_from_this()] { self->core_.end_slowest(self.get()); });
  return problem_response({ErrorCode::unavailable,
                           "the server has no memory left for the answer: others have not "
                           "taken theirs",
                           "try again later"},
                          request_.id);
}

}  // namespace plz
