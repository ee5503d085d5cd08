#include "net/http_server.h"

#include <algorithm>
#include <future>
#include <mutex>
#include <vector>

#include "base/caught.h"
#include "base/log.h"
#include "net/listener.h"
#include "net/problem.h"
#include "net/server_connection.h"
#include "net/server_core.h"
#include "net/socket.h"
#include "net/tls.h"

namespace plz {
namespace {

using namespace std::chrono_literals;

// Deadlines are looked at every so often, which costs less than a timer for each connection.
std::chrono::milliseconds sweep_interval(const HttpServerSettings& settings) {
  auto shortest = std::min({settings.idle_connection_timeout, settings.header_timeout, settings.body_stall_timeout});
  return std::clamp(shortest / 4, std::chrono::milliseconds(10), std::chrono::milliseconds(1'000));
}

// What one connection meets is not the others': its deadline closes it.
void run_loop(EventLoop& loop) {
  auto run = [&]() -> Result<void> {
    loop.run();
    return {};
  };
  for (auto ran = caught(run); !ran; ran = caught(run)) log_error("the server goes on: {}", ran.error().message);
}

}  // namespace

struct HttpServer::State {
  State(HttpServerSettings settings, Handler handler)
      : core(settings, std::move(handler)), sweep_timer(std::make_unique<LoopTimer>(*core.loop)) {}

  void add_listener(UniqueFd fd, Listener::Wrap wrap);
  void on_accepted(std::unique_ptr<Transport> transport, Peer peer);
  void refuse(Transport& transport);
  void sweep();
  void begin_stop();
  void abort_all();
  std::vector<std::shared_ptr<ServerConnection>> all_connections() const;
  void run_on_loop(const std::function<void()>& task);

  ServerCore core;
  std::unique_ptr<LoopTimer> sweep_timer;
  bool sweeping = false;  // on the loop's thread
  std::mutex stop_mutex;  // one stop at a time; guards the members below
  std::vector<std::unique_ptr<Listener>> listeners;
  std::optional<pthread_t> thread;
};

HttpServer::HttpServer(HttpServerSettings settings, Handler handler)
    : state_(std::make_unique<State>(settings, std::move(handler))) {}

HttpServer::~HttpServer() {
  stop();
  state_->core.pool = nullptr;  // waits for the handlers
  if (state_->thread) {
    state_->run_on_loop([&] { state_->abort_all(); });
    state_->core.loop->stop();
    pthread_join(*state_->thread, nullptr);
  }
}

void HttpServer::State::add_listener(UniqueFd fd, Listener::Wrap wrap) {
  std::lock_guard lock(stop_mutex);
  auto accepted = [this](std::unique_ptr<Transport> transport, Peer peer) {
    on_accepted(std::move(transport), std::move(peer));
  };
  listeners.push_back(std::make_unique<Listener>(*core.loop, std::move(fd), std::move(wrap), accepted));
  core.loop->post([listener = listeners.back().get()] { listener->begin(); });
}

Result<void> HttpServer::listen_unix(UniqueFd listening_socket) {
  // Repeated where the caller has done it, which is harmless; accept must never block the loop.
  if (listen(listening_socket.get(), SOMAXCONN) != 0) return fail_errno("cannot listen on a socket");
  state_->add_listener(std::move(listening_socket), make_plain_transport);
  return {};
}

Result<uint16_t> HttpServer::listen_tcp(const std::string& address, uint16_t port) {
  PLZ_ASSIGN(auto addresses, resolve(address, port));
  PLZ_ASSIGN(UniqueFd fd, listen_on(addresses.front()));
  PLZ_ASSIGN(uint16_t bound_port, local_port(fd.get()));
  state_->add_listener(std::move(fd), make_plain_transport);
  return bound_port;
}

Result<uint16_t> HttpServer::listen_tls(const std::string& address, uint16_t port, const Tls& tls) {
  PLZ_ASSIGN(auto context, TlsContext::for_server(tls.certificate_path, tls.key_path));
  PLZ_ASSIGN(auto addresses, resolve(address, port));
  PLZ_ASSIGN(UniqueFd fd, listen_on(addresses.front()));
  PLZ_ASSIGN(uint16_t bound_port, local_port(fd.get()));
  state_->add_listener(std::move(fd), [context = std::move(context)](UniqueFd connection) {
    return context->accept(std::move(connection));
  });
  return bound_port;
}

Result<void> HttpServer::start() {
  std::lock_guard lock(state_->stop_mutex);
  PLZ_ASSIGN(pthread_t thread, start_thread("plz-http", [loop = state_->core.loop] { run_loop(*loop); }));
  state_->thread = thread;
  return {};
}

void HttpServer::State::on_accepted(std::unique_ptr<Transport> transport, Peer peer) {
  if (core.connection_count >= core.settings.max_connections) return refuse(*transport);
  auto connection = std::make_shared<ServerConnection>(core, std::move(transport), std::move(peer));
  core.connections.emplace(connection.get(), connection);
  ++core.connection_count;
  connection->start();
  if (sweeping) return;
  sweeping = true;
  sweep_timer->after(sweep_interval(core.settings), [this] { sweep(); });
}

void HttpServer::State::refuse(Transport& transport) {
  Error error{ErrorCode::unavailable, "the server has as many connections as it takes", "try again later"};
  Response response = problem_response(error, "");
  Outbox outbox;
  outbox.set(format_response_head(response, Framing::length, false, ""), std::move(response.body));
  if (transport.handshake().state == IoResult::State::done) outbox.write(transport);
  transport.shut_down_writing();
}

void HttpServer::State::sweep() {
  auto now = std::chrono::steady_clock::now();
  std::vector<std::shared_ptr<ServerConnection>> expired;
  for (const auto& [key, connection] : core.connections)
    if (connection->is_expired(now)) expired.push_back(connection);
  for (const auto& connection : expired) connection->expire();
  // Without connections nothing wakes an idle server.
  sweeping = !core.connections.empty();
  if (sweeping) sweep_timer->after(sweep_interval(core.settings), [this] { sweep(); });
}

std::vector<std::shared_ptr<ServerConnection>> HttpServer::State::all_connections() const {
  std::vector<std::shared_ptr<ServerConnection>> all;
  for (const auto& [key, connection] : core.connections) all.push_back(connection);
  return all;
}

void HttpServer::State::begin_stop() {
  for (auto& listener : listeners) listener->close();
  for (const auto& connection : all_connections()) connection->close_when_answered();
}

void HttpServer::State::abort_all() {
  for (const auto& connection : all_connections()) connection->abort();
}

void HttpServer::State::run_on_loop(const std::function<void()>& task) {
  std::promise<void> done;
  core.loop->post([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

void HttpServer::stop(std::chrono::milliseconds deadline) {
  State& state = *state_;
  std::lock_guard stop_lock(state.stop_mutex);
  state.core.stopping = true;
  if (!state.thread) return;
  auto until = std::chrono::steady_clock::now() + deadline;
  state.run_on_loop([&] { state.begin_stop(); });
  {
    std::unique_lock lock(state.core.mutex);
    state.core.all_closed.wait_until(lock, until, [&] { return state.core.connection_count == 0; });
  }
  state.run_on_loop([&] { state.abort_all(); });
}

size_t HttpServer::connections() const { return state_->core.connection_count; }

std::chrono::steady_clock::time_point HttpServer::last_activity() const { return state_->core.activity.last(); }

}  // namespace plz
