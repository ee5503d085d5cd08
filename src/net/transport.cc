#include "net/transport.h"

#include <sys/socket.h>

#include <cstring>

namespace plz {
namespace {

IoResult result_of_errno(IoResult::State when_blocked) {
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {when_blocked, 0, 0};
  return {IoResult::State::failed, 0, errno};
}

class PlainTransport final : public Transport {
 public:
  using Transport::Transport;

  IoResult read(void* buffer, size_t size) override {
    ssize_t n;
    do n = recv(fd_.get(), buffer, size, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0) return result_of_errno(IoResult::State::want_read);
    return {n == 0 ? IoResult::State::end : IoResult::State::done, static_cast<size_t>(n), 0};
  }

  IoResult write(const iovec* parts, int count) override {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts);
    message.msg_iovlen = static_cast<size_t>(count);
    ssize_t n;
    do n = sendmsg(fd_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0) return result_of_errno(IoResult::State::want_write);
    return {IoResult::State::done, static_cast<size_t>(n), 0};
  }
};

}  // namespace

void Transport::shut_down_writing() { shutdown(fd_.get(), SHUT_WR); }

std::string Transport::failure(const IoResult& result) const { return strerror(result.error_number); }

std::unique_ptr<Transport> make_plain_transport(UniqueFd fd) { return std::make_unique<PlainTransport>(std::move(fd)); }

int advance_parts(iovec* parts, int count, size_t bytes) {
  int left = 0;
  for (int i = 0; i < count; ++i) {
    size_t skipped = std::min(bytes, parts[i].iov_len);
    bytes -= skipped;
    if (skipped == parts[i].iov_len) continue;
    parts[left++] = {static_cast<char*>(parts[i].iov_base) + skipped, parts[i].iov_len - skipped};
  }
  return left;
}

}  // namespace plz
