// What the HTTP stack itself costs: requests a second, the time of one, and bytes a second both ways,
// between one server and clients of this process. Prints a table; takes about ten seconds.
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "net/http_client.h"
#include "net/http_server.h"
#include "net/socket.h"

namespace {

using namespace plz;
using Clock = std::chrono::steady_clock;

constexpr uint64_t kStreamBytes = 2ull << 30;
constexpr size_t kUploadBytes = 32u << 20;
constexpr int kUploads = 32;
constexpr int kRequests = 20'000;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// Of the whole process: tells what a byte costs on a machine that is busy with other things too.
double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](timeval time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void print_rate(const char* name, const char* what, double megabytes, Clock::time_point begin, double cpu_begin) {
  printf("%-6s %s      %9.0f MB/s  %7.2f CPU s/GB\n", name, what, megabytes / seconds_since(begin),
         (cpu_seconds() - cpu_begin) / megabytes * 1e3);
}

void check(const Result<ClientResponse>& response) {
  if (response && response->status == 200) return;
  fprintf(stderr, "bench_net: %s\n", response ? "a status other than 200" : response.error().message.c_str());
  exit(1);
}

class MemoryStream final : public StreamSource {
 public:
  State pull(std::string& buffer, size_t target_bytes) override {
    if (left_ == 0) return State::end;
    size_t n = static_cast<size_t>(std::min<uint64_t>(left_, target_bytes));
    buffer.append(n, 'x');
    left_ -= n;
    return State::data;
  }
  void on_wake(std::function<void()>) override {}

 private:
  uint64_t left_ = kStreamBytes;
};

Response handle(Request& request) {
  Response response;
  if (request.target.path == "/stream") response.stream = std::make_shared<MemoryStream>();
  if (request.target.path != "/upload") return response;
  std::string buffer(256u << 10, '\0');
  Result<size_t> n = 1;
  while (n && *n > 0) n = request.body->read(buffer.data(), buffer.size());
  return response;
}

void bench_requests(const char* name, const Endpoint& endpoint, int clients) {
  auto begin = Clock::now();
  std::vector<std::jthread> threads;
  for (int t = 0; t < clients; ++t)
    threads.emplace_back([&] {
      HttpClient client(endpoint);
      for (int i = 0; i < kRequests / clients; ++i) check(client.call({.target = "/"}));
    });
  threads.clear();
  double seconds = seconds_since(begin);
  printf("%-6s %2d clients  %9.0f requests/s  %7.1f us each\n", name, clients, kRequests / seconds,
         seconds / kRequests * clients * 1e6);
}

void bench_stream(const char* name, const Endpoint& endpoint) {
  HttpClient client(endpoint);
  uint64_t received = 0;
  double cpu_begin = cpu_seconds();
  auto begin = Clock::now();
  check(client.stream({.target = "/stream"}, [&](std::string_view piece) -> Result<void> {
    received += piece.size();
    return {};
  }));
  print_rate(name, "stream", static_cast<double>(received) / 1e6, begin, cpu_begin);
}

void bench_upload(const char* name, const Endpoint& endpoint) {
  HttpClient client(endpoint);
  std::string body(kUploadBytes, 'x');
  double cpu_begin = cpu_seconds();
  auto begin = Clock::now();
  for (int i = 0; i < kUploads; ++i) check(client.call({.method = "POST", .target = "/upload", .body = body}));
  print_rate(name, "upload", kUploads * (kUploadBytes / 1e6), begin, cpu_begin);
}

}  // namespace

int main() {
  std::string path = "/tmp/plz-bench-net-" + std::to_string(getpid());
  HttpServer server({}, handle);
  auto socket = listen_at(path);
  auto port = server.listen_tcp("127.0.0.1", 0);
  if (!socket || !port || !server.listen_unix(std::move(*socket)) || !server.start()) {
    fprintf(stderr, "bench_net: cannot listen\n");
    return 1;
  }
  Endpoint unix_endpoint{.kind = Endpoint::Kind::unix_socket, .path = path};
  Endpoint tcp_endpoint{.kind = Endpoint::Kind::http, .host = "127.0.0.1", .port = *port};
  for (auto [name, endpoint] : {std::pair("unix", &unix_endpoint), std::pair("tcp", &tcp_endpoint)}) {
    for (int clients : {1, 4, 16}) bench_requests(name, *endpoint, clients);
    bench_stream(name, *endpoint);
    bench_upload(name, *endpoint);
  }
  unlink(path.c_str());
  return 0;
}
