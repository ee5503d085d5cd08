#include "engine/engine_settings.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace plz {
namespace {

using testing::HasSubstr;

Result<EngineSettings> find(std::map<std::string, std::string> variables) {
  return find_engine([variables](const char* name) -> std::optional<std::string> {
    auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

std::string endpoint(std::map<std::string, std::string> variables) {
  auto found = find(std::move(variables));
  return found ? found->endpoint.to_string() : "error: " + found.error().message;
}

TEST(EngineSettings, AreFoundAsDockersOwnCommandFindsThem) {
  EXPECT_EQ(endpoint({{"DOCKER_HOST", "unix:///run/user/7/docker.sock"}}), "unix:/run/user/7/docker.sock");
  EXPECT_EQ(endpoint({{"DOCKER_HOST", "tcp://far:1234"}}), "http://far:1234");
  EXPECT_EQ(endpoint({{"DOCKER_HOST", "tcp://far"}}), "http://far:2375");
  EXPECT_EQ(endpoint({{"DOCKER_HOST", "tcp://[::1]"}}), "http://[::1]:2375");
  EXPECT_EQ(endpoint({{"DOCKER_HOST", "tcp://far"}, {"DOCKER_TLS_VERIFY", "1"}}), "https://far:2376");
  EXPECT_EQ(endpoint({{"DOCKER_HOST", "tcp://far"}, {"DOCKER_TLS_VERIFY", ""}}), "http://far:2375");
  EXPECT_EQ(find({{"DOCKER_HOST", "tcp://far"}})->source, "DOCKER_HOST");
}

TEST(EngineSettings, TakeCertificatesWhereDockerKeepsThem) {
  auto named = find({{"DOCKER_HOST", "tcp://far"}, {"DOCKER_TLS_VERIFY", "1"}, {"DOCKER_CERT_PATH", "/certs"}});
  EXPECT_EQ(named->endpoint.ca_file, "/certs/ca.pem");
  EXPECT_EQ(named->endpoint.certificate_file, "/certs/cert.pem");
  EXPECT_EQ(named->endpoint.key_file, "/certs/key.pem");
  auto usual = find({{"DOCKER_HOST", "tcp://far"}, {"DOCKER_TLS_VERIFY", "1"}, {"HOME", "/home/ada"}});
  EXPECT_EQ(usual->endpoint.ca_file, "/home/ada/.docker/ca.pem");
}

TEST(EngineSettings, AreTheDefaultSocketWithoutAVariable) {
  auto found = find({});
  EXPECT_EQ(found->endpoint.to_string(), "unix:/var/run/docker.sock");
  EXPECT_EQ(found->source, "the default socket");
  EXPECT_EQ(endpoint({{"DOCKER_HOST", ""}, {"XDG_RUNTIME_DIR", "/nonexistent"}}), "unix:/var/run/docker.sock");
}

TEST(EngineSettings, RefuseWhatCannotBeUsed) {
  for (auto [host, words] :
       {std::pair("ssh://ada@far", "ssh"), std::pair("npipe:////./pipe/x", "unknown"),
        std::pair("unix://relative", "absolute"), std::pair("tcp://", "host name"), std::pair("far:2375", "unknown")}) {
    auto found = find({{"DOCKER_HOST", host}});
    ASSERT_FALSE(found) << host;
    EXPECT_EQ(found.error().code, ErrorCode::invalid);
    EXPECT_THAT(found.error().message, HasSubstr(host));
    EXPECT_THAT(found.error().message, HasSubstr(words));
  }
}

}  // namespace
}  // namespace plz
