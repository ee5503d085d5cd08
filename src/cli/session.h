// What every command works with.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cli/configuration.h"
#include "cli/controller_finder.h"
#include "cli/messages.h"
#include "cli/options.h"
#include "cli/output_stream.h"
#include "client/api_client.h"

namespace plz {

// Not thread-safe. What it refers to outlives it.
class Session {
 public:
  struct Parts {
    Configuration configuration;
    EnvironmentVariables environment;  // of this process
    std::string working_directory;     // absolute
    std::string data_directory;        // absolute; may not exist
    std::string login_name;            // the operating system's; the configuration's user may be another
    std::string system_root = "/";     // where the system's own settings lie; another one in tests
    std::chrono::milliseconds ping_timeout{10'000};
    std::unique_ptr<ControllerFinder> finder;
  };
  Session(Parts parts, Messages& messages, OutputStream& out, const Clock& clock);

  const Configuration& configuration() const { return parts_.configuration; }
  const EnvironmentVariables& environment() const { return parts_.environment; }
  const std::string& working_directory() const { return parts_.working_directory; }
  const std::string& data_directory() const { return parts_.data_directory; }
  const std::string& login_name() const { return parts_.login_name; }
  const std::string& system_root() const { return parts_.system_root; }
  std::chrono::milliseconds ping_timeout() const { return parts_.ping_timeout; }
  ClientSettings client_settings() const { return {.connect_timeout = parts_.ping_timeout}; }
  bool controller_needs_start() const { return parts_.finder->needs_start(); }
  ControllerLife* controller_life() { return parts_.finder->life(); }
  bool embedded() const { return parts_.finder->embedded(); }
  Messages& messages() { return messages_; }
  OutputStream& out() { return out_; }
  const Clock& clock() const { return clock_; }

  // Finds or starts the controller.
  Result<Endpoint> endpoint() { return parts_.finder->find(); }
  // The connection that the commands share.
  Result<ApiClient*> api();
  void forget_connection() { api_.reset(); }

  // Calls `request(ApiClient&)`, which must do no harm when repeated, and does repeat it when the
  // controller had gone away meanwhile: once, and some times more where it is ours to start, since
  // one that is just ending is still found.
  template <typename Request>
  std::invoke_result_t<Request, ApiClient&> call(Request&& request) {
    for (int tries = embedded() ? kTries : 2;; --tries) {
      PLZ_ASSIGN(ApiClient * client, api());
      auto answer = request(*client);
      if (answer || answer.error().code != ErrorCode::unavailable || tries == 1) return answer;
      forget_connection();
      if (tries < kTries) std::this_thread::sleep_for(kPauseBetweenTries);
    }
  }

  // The execution named, or the user's last one.
  Result<ExecutionId> execution_id(const OptionalExecution& named);
  Result<Execution> execution(ExecutionId id);
  Result<Execution> execution(const OptionalExecution& named);

 private:
  static constexpr int kTries = 10;
  static constexpr std::chrono::milliseconds kPauseBetweenTries{100};

  Parts parts_;
  Messages& messages_;
  OutputStream& out_;
  const Clock& clock_;
  std::unique_ptr<ApiClient> api_;
};

}  // namespace plz
