// Reaches a controller through ssh: a unix socket here leads to its port there.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <sys/types.h>

#include "base/result.h"
#include "cli/controller_finder.h"

namespace plz {

struct SshForwardSettings {
  std::string program = "ssh";  // looked up in PATH
  std::string host;
  uint16_t port = 80;            // of the controller, on the remote's loopback
  std::string username;          // empty: as ssh is configured
  std::string private_key_path;  // empty: as ssh is configured
  std::string socket_path;       // made here; in a private directory
  std::chrono::milliseconds timeout{10'000};
};

// Runs `ssh -N -L SOCKET:localhost:PORT HOST` with the terminal at hand, so that it can ask for a
// passphrase. It ends with this object, or when the thread that called find() dies.
class SshForward final : public ControllerFinder {
 public:
  explicit SshForward(SshForwardSettings settings);
  ~SshForward() override;
  Result<Endpoint> find() override;
  bool embedded() const override { return false; }

 private:
  Result<void> start();
  Result<void> wait_until_it_accepts();
  bool has_ended();
  void end();

  const SshForwardSettings settings_;
  pid_t process_ = 0;
};

}  // namespace plz
