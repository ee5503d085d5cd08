#include "cli/controller_finder.h"

#include <fmt/core.h>
#include <unistd.h>

#include "base/version.h"
#include "cli/data_directory.h"
#include "cli/embedded_controller.h"
#include "cli/ssh_forward.h"
#include "os/file.h"

namespace plz {
namespace {

class ConfiguredController final : public ControllerFinder {
 public:
  explicit ConfiguredController(Endpoint endpoint) : endpoint_(std::move(endpoint)) {}
  Result<Endpoint> find() override { return endpoint_; }
  bool embedded() const override { return false; }

 private:
  const Endpoint endpoint_;
};

Endpoint endpoint_of(const Configuration& configuration) {
  Endpoint endpoint;
  const bool tls = configuration.connection_info.schema == ConnectionSchema::https;
  endpoint.kind = tls ? Endpoint::Kind::https : Endpoint::Kind::http;
  endpoint.host = *configuration.host;
  endpoint.port = static_cast<uint16_t>(configuration.port);
  endpoint.ca_file = configuration.connection_info.path_to_ca_file;
  return endpoint;
}

Result<std::unique_ptr<ControllerFinder>> make_ssh(const Configuration& configuration, const FinderSettings& settings) {
  PLZ_ASSIGN(const std::string beside, socket_path_of(settings.data_directory, settings.environment));
  SshForwardSettings ssh;
  ssh.host = *configuration.host;
  ssh.port = static_cast<uint16_t>(configuration.port);
  ssh.username = configuration.connection_info.username;
  ssh.private_key_path = configuration.connection_info.path_to_private_key;
  ssh.socket_path = join_path(parent_path(beside), fmt::format("ssh-{}.sock", getpid()));
  ssh.timeout = settings.ping_timeout;
  return std::make_unique<SshForward>(std::move(ssh));
}

Result<std::unique_ptr<ControllerFinder>> make_embedded(FinderSettings settings, Messages& messages) {
  PLZ_TRY(prepare_data_directory(settings.data_directory));
  EmbeddedControllerSettings embedded;
  embedded.socket_path = socket_path_of(settings.data_directory, settings.environment);
  embedded.program = find_controller_program(settings.environment);
  embedded.version = plz_version();
  embedded.ping_timeout = settings.ping_timeout;
  if (settings.patience) embedded.start_timeout = embedded.patience_with_another = *settings.patience;
  embedded.data_directory = std::move(settings.data_directory);
  embedded.environment = std::move(settings.environment);
  return std::make_unique<EmbeddedController>(std::move(embedded), messages);
}

}  // namespace

Result<std::unique_ptr<ControllerFinder>> make_controller_finder(const Configuration& configuration,
                                                                 FinderSettings settings, Messages& messages) {
  if (!configuration.host) return make_embedded(std::move(settings), messages);
  if (configuration.connection_info.schema == ConnectionSchema::http_ssh) return make_ssh(configuration, settings);
  return std::make_unique<ConfiguredController>(endpoint_of(configuration));
}

}  // namespace plz
