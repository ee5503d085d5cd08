#include "app/container_engine.h"

#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <vector>

#include "aws/default_credentials.h"
#include "aws/ecr_tokens.h"
#include "engine/docker_context.h"
#include "environment/docker/docker_environments.h"
#include "environment/login/docker_config_login.h"
#include "environment/login/ecr_login.h"

namespace plz {
namespace {

std::optional<std::string> variable(const char* name) {
  const char* value = getenv(name);
  return value ? std::optional<std::string>(value) : std::nullopt;
}

std::vector<std::string> process_environment() {
  std::vector<std::string> variables;
  for (char** entry = environ; *entry; ++entry) variables.emplace_back(*entry);
  return variables;
}

// Owns what DockerEnvironments refers to.
class EnvironmentsHere final : public Environments {
 public:
  EnvironmentsHere(EngineSettings engine, EnvironmentSettings settings, const Clock& clock)
      : engine_(std::move(engine)),
        docker_login_(docker_config_directory(variable), process_environment()),
        aws_credentials_(default_aws_credentials(variable, clock)),
        ecr_tokens_(variable, *aws_credentials_, clock),
        ecr_login_(ecr_tokens_),
        login_({&docker_login_, &ecr_login_}),
        environments_(engine_, std::move(settings), login_, clock) {}

  Result<ReadyEnvironment> ensure(const EnvironmentRequest& request, const Say& say, std::stop_token stop) override {
    return environments_.ensure(request, say, std::move(stop));
  }
  Result<std::vector<KeptEnvironment>> list() override { return environments_.list(); }
  Result<void> need(const std::vector<std::string>& image_ids) override { return environments_.need(image_ids); }
  Result<std::vector<KeptEnvironment>> unneeded(const std::vector<std::string>& needed) override {
    return environments_.unneeded(needed);
  }
  Result<bool> remove(const std::string& image_id) override { return environments_.remove(image_id); }
  Result<void> evict() override { return environments_.evict(); }

 private:
  EngineClient engine_;
  DockerConfigLogin docker_login_;
  std::unique_ptr<CredentialsProvider> aws_credentials_;
  EcrTokens ecr_tokens_;
  EcrLogin ecr_login_;
  FirstLogin login_;
  DockerEnvironments environments_;
};

}  // namespace

Result<EngineSettings> engine_of_this_machine() { return find_engine(variable); }

std::unique_ptr<Environments> make_environments(const Result<EngineSettings>& engine, EnvironmentSettings settings,
                                                const Clock& clock) {
  if (!engine) return nullptr;
  return std::make_unique<EnvironmentsHere>(*engine, std::move(settings), clock);
}

}  // namespace plz
