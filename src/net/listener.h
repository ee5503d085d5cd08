// Accepts connections of one listening socket.
#pragma once

#include <functional>
#include <memory>

#include "net/event_loop.h"
#include "net/http_types.h"
#include "net/transport.h"
#include "os/fd.h"

namespace plz {

// Used on the loop's thread, but for construction and destruction while the loop does not run.
class Listener {
 public:
  using Wrap = std::function<std::unique_ptr<Transport>(UniqueFd)>;  // plain, or TLS
  using Accepted = std::function<void(std::unique_ptr<Transport>, Peer)>;
  Listener(EventLoop& loop, UniqueFd fd, Wrap wrap, Accepted accepted);

  void begin();
  void close();

 private:
  void accept_some();
  bool accept_one();

  EventLoop& loop_;
  UniqueFd fd_;
  const Wrap wrap_;
  const Accepted accepted_;
  std::unique_ptr<FdWatch> watch_;
  LoopTimer retry_;
};

}  // namespace plz
