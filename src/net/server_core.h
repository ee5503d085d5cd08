// What the connections of one server share.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "net/activity_clock.h"
#include "net/event_loop.h"
#include "net/handler_pool.h"
#include "net/http_server.h"
#include "net/memory_budget.h"

namespace plz {

class ServerConnection;

// A few large buffers, used again and again by the streams that have something to send. Streams that
// wait hold none.
class SendBuffers {
 public:
  std::string take() {
    if (free_.empty()) return {};
    std::string buffer = std::move(free_.back());
    free_.pop_back();
    return buffer;
  }
  void give(std::string buffer) {
    constexpr size_t kKept = 4, kMaxBytes = 1u << 20;
    if (free_.size() >= kKept || buffer.capacity() < 4096 || buffer.capacity() > kMaxBytes) return;
    buffer.clear();
    free_.push_back(std::move(buffer));
  }

 private:
  std::vector<std::string> free_;
};

// Outlives the connections. Members below the line are used on the loop's thread alone.
struct ServerCore {
  ServerCore(HttpServerSettings settings, HttpServer::Handler handler)
      : settings(settings),
        handler(std::move(handler)),
        input_memory(settings.memory_bytes / 4),
        memory(settings.memory_bytes - settings.memory_bytes / 4),
        pool(std::make_unique<HandlerPool>(settings.handler_threads, settings.waiting_handlers)) {}

  const HttpServerSettings settings;
  const HttpServer::Handler handler;
  // Shared with wake functions, which may be called when the server is gone.
  std::shared_ptr<EventLoop> loop = std::make_shared<EventLoop>();
  // Heads and small bodies have theirs apart, so that large ones never shut them out.
  MemoryBudget input_memory, memory;
  std::unique_ptr<HandlerPool> pool;
  ActivityClock activity;
  SystemClock clock;
  std::atomic<bool> stopping{false};
  std::atomic<size_t> connection_count{0};
  std::mutex mutex;  // guards nothing but the wait for `all_closed`
  std::condition_variable all_closed;

  static constexpr size_t kScratchBytes = 64u << 10;
  std::unique_ptr<char[]> scratch{new char[kScratchBytes]};
  SendBuffers buffers;
  std::unordered_map<ServerConnection*, std::shared_ptr<ServerConnection>> connections;
  // Of those but this one whose peer is slow, ends the one that holds memory and has been silent for longest. False:
  // there is none.
  bool end_slowest(const ServerConnection* but);
};

}  // namespace plz
