#include "app/container_engine.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <vector>

#include <fmt/core.h>

#include "aws/default_credentials.h"
#include "aws/ecr_tokens.h"
#include "engine/docker_context.h"
#include "environment/docker/docker_environments.h"
#include "environment/login/docker_config_login.h"
#include "environment/login/ecr_login.h"
#include "model/engine_variables.h"

namespace plz {
namespace {

std::optional<std::string> own_variable(const char* name) {
  const char* value = getenv(name);
  return value ? std::optional<std::string>(value) : std::nullopt;
}

// Of programs that know credentials.
std::vector<std::string> environment_of(const Variables& variables) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text = *entry;
    if (!is_engine_variable(text.substr(0, text.find('=')))) environment.emplace_back(text);
  }
  for (std::string_view name : kEngineVariables)
    if (auto value = variables(std::string(name).c_str())) environment.push_back(fmt::format("{}={}", name, *value));
  return environment;
}

// Owns what DockerEnvironments refers to.
class EnvironmentsHere final : public Environments {
 public:
  EnvironmentsHere(EngineSettings engine, EnvironmentSettings settings, const Variables& variables, const Clock& clock)
      : engine_(std::move(engine)),
        docker_login_(docker_config_directory(variables), environment_of(variables)),
        aws_credentials_(default_aws_credentials(variables, clock)),
        ecr_tokens_(variables, *aws_credentials_, clock),
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

Variables variables_for_engine(EnvironmentVariables shell) {
  const bool is_given =
      std::any_of(shell.begin(), shell.end(), [](const auto& variable) { return is_engine_variable(variable.first); });
  if (!is_given) return own_variable;
  return [shell = std::move(shell)](const char* name) -> std::optional<std::string> {
    if (!is_engine_variable(name)) return own_variable(name);
    for (const auto& [known, value] : shell)
      if (known == name) return value;
    return std::nullopt;
  };
}

std::unique_ptr<Environments> make_environments(const Result<EngineSettings>& engine, EnvironmentSettings settings,
                                                const Variables& variables, const Clock& clock) {
  if (!engine) return nullptr;
  return std::make_unique<EnvironmentsHere>(*engine, std::move(settings), variables, clock);
}

}  // namespace plz
