#include "net/server_fixture.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include <gtest/gtest.h>

#include "net/socket.h"
#include "os/file.h"

namespace plz::testing_net {
namespace {

using namespace std::chrono_literals;

bool wait_readable(int fd) {
  pollfd entry{fd, POLLIN, 0};
  return poll(&entry, 1, 20'000) > 0;
}

}  // namespace

TestServer::TestServer(HttpServer::Handler handler, HttpServerSettings settings)
    : path_(directory_.path() + "/s"), handler_(std::move(handler)), settings_(settings) {
  restart();
}

void TestServer::restart() {
  server_ = nullptr;
  unlink(path_.c_str());
  server_ = std::make_unique<HttpServer>(settings_, handler_);
  auto socket = listen_at(path_);
  ASSERT_TRUE(socket) << socket.error().message;
  ASSERT_TRUE(server_->listen_unix(std::move(*socket)));
  ASSERT_TRUE(server_->start());
}

RawClient::RawClient(const std::string& path, Connect when) : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (when == Connect::now) connect(path);
}

void RawClient::connect(const std::string& path) {
  auto address = unix_address(path);
  EXPECT_EQ(::connect(fd_.get(), address->get(), address->size), 0) << strerror(errno);
}

void RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return;  // what the server does then is what is tested
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

std::string RawClient::next_piece() {
  char buffer[65536];
  if (!wait_readable(fd_.get())) {
    ADD_FAILURE() << "nothing came for 20 s";
    return {};
  }
  ssize_t n = recv(fd_.get(), buffer, sizeof buffer, 0);
  return n > 0 ? std::string(buffer, static_cast<size_t>(n)) : std::string();
}

std::string RawClient::receive_until(std::string_view marker) {
  std::string all;
  for (;;) {
    if (!marker.empty() && all.find(marker) != all.npos) return all;
    std::string piece = next_piece();
    if (piece.empty()) return all;
    all += piece;
  }
}

bool RawClient::is_closed() {
  char byte;
  return wait_readable(fd_.get()) && recv(fd_.get(), &byte, 1, 0) <= 0;
}

FedStream::~FedStream() {
  if (destroyed_) destroyed_();
}

StreamSource::State FedStream::pull(std::string& buffer, size_t target_bytes) {
  std::lock_guard lock(mutex_);
  EXPECT_TRUE(buffer.empty());
  if (waiting_.empty()) return at_end_;
  buffer.append(waiting_, 0, target_bytes);
  waiting_.erase(0, target_bytes);
  return State::data;
}

void FedStream::on_wake(std::function<void()> wake) {
  std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

void FedStream::feed(std::string_view bytes) {
  {
    std::lock_guard lock(mutex_);
    waiting_ += bytes;
  }
  if (auto wake = wake_function()) wake();
}

void FedStream::end(State how) {
  {
    std::lock_guard lock(mutex_);
    at_end_ = how;
  }
  if (auto wake = wake_function()) wake();
}

std::function<void()> FedStream::wake_function() {
  std::lock_guard lock(mutex_);
  return wake_;
}

bool eventually(const std::function<bool()>& condition) {
  auto limit = std::chrono::steady_clock::now() + 90s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

ClientRequest get(std::string target) { return ClientRequest{.target = std::move(target)}; }

ClientRequest post(std::string target, std::string_view body) {
  ClientRequest request{.method = "POST", .target = std::move(target)};
  request.body = body;
  request.idempotent = false;
  return request;
}

}  // namespace plz::testing_net
