// A connected socket, plain or TLS, that is tried and never waited for: server and client wait in
// their own ways, on the descriptor.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <string>

#include "base/result.h"
#include "os/fd.h"

namespace plz {

struct IoResult {
  enum class State {
    done,        // `bytes` were moved, at least one
    want_read,   // try again once the descriptor is readable
    want_write,  // … writable
    end,         // the peer sends no more
    failed,      // `error_number` says why, or Transport::failure()
  };
  State state = State::done;
  size_t bytes = 0;
  int error_number = 0;
};

// Used by one thread at a time. Never blocks, never raises SIGPIPE.
class Transport {
 public:
  explicit Transport(UniqueFd fd) : fd_(std::move(fd)) {}
  virtual ~Transport() = default;
  virtual IoResult handshake() { return {}; }
  virtual IoResult read(void* buffer, size_t size) = 0;
  virtual IoResult write(const iovec* parts, int count) = 0;
  // Tells the peer that nothing follows. Best effort.
  virtual void shut_down_writing();
  // The words for a failed result.
  virtual std::string failure(const IoResult& result) const;
  int fd() const { return fd_.get(); }

 protected:
  UniqueFd fd_;
};

std::unique_ptr<Transport> make_plain_transport(UniqueFd fd);

// Drops `bytes` from the front of the parts; returns how many parts are left, moved to the front.
int advance_parts(iovec* parts, int count, size_t bytes);

}  // namespace plz
