// What an HTTP message is to the rest of plz.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace plz {

// In order of appearance; names compare without case.
class Headers {
 public:
  void add(std::string name, std::string value) { items_.emplace_back(std::move(name), std::move(value)); }
  std::optional<std::string_view> find(std::string_view name) const;  // the first
  size_t count(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& items() const { return items_; }

 private:
  std::vector<std::pair<std::string, std::string>> items_;
};

// "/v1/executions/ID/logs?since=0" in its parts, percent-decoded.
struct Target {
  std::string path;
  std::map<std::string, std::string, std::less<>> query;
};
Result<Target> parse_target(std::string_view target);
std::string percent_encode(std::string_view text);

// Who is at the other end.
struct Peer {
  std::optional<uint32_t> uid;  // on a unix socket, from SO_PEERCRED
  std::optional<int32_t> pid;
  std::string address;  // for logs
};

// A request's body, read as it arrives. The handler pulls; the network is held back meanwhile.
// Used by one thread.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // Blocks until at least one byte is there; 0 at the end. unavailable when the peer is gone, or others need what the
  // request holds; timeout when it is too slow. No lock and no transaction is held across it: a peer may take its time.
  virtual Result<size_t> read(void* buffer, size_t size) = 0;
  // To be told how much the handler keeps in memory of this body, before it does, where that is more than a read's
  // buffer; until the request's end. unavailable: the server has no room for it, and the request comes to its end.
  virtual Result<void> hold(size_t bytes) {
    (void)bytes;
    return {};
  }
  // The whole of it; invalid above `limit` bytes.
  Result<std::string> read_all(size_t limit);
};

// A long or endless body, pulled by the event loop: it never blocks, so ten thousand of them cost no
// thread. The loop calls from one thread at a time.
class StreamSource {
 public:
  virtual ~StreamSource() = default;
  enum class State {
    data,     // `buffer` has something to send
    waiting,  // nothing now: `wake` will be called, once or more, when pull is worth trying
    end,
    failed,  // the body cannot be completed: the connection is closed, so that the peer notices
  };
  // Appends to `buffer`, which is empty, about `target_bytes` at most. Disk reads here must be short
  // and of a bounded size: heavy ones belong on a thread of the source's own.
  virtual State pull(std::string& buffer, size_t target_bytes) = 0;
  // Called once before the first pull. `wake` may be called from any thread, also after the
  // connection is gone (it is then nothing).
  virtual void on_wake(std::function<void()> wake) = 0;
};

struct Request {
  std::string method;
  Target target;
  Headers headers;
  Peer peer;
  std::string id;  // made by the server, or taken from X-Request-Id
  BodyReader* body = nullptr;
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;                      // when no stream
  std::shared_ptr<StreamSource> stream;  // sent chunked
};

}  // namespace plz
