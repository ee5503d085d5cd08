#include "engine/engine_settings.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "engine/docker_context.h"
#include "os/file.h"
#include "os/temporary_directory_test.h"

namespace plz {
namespace {

using testing::HasSubstr;

Variables reading(std::map<std::string, std::string> variables) {
  return [variables](const char* name) -> std::optional<std::string> {
    auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

Result<EngineSettings> find(std::map<std::string, std::string> variables) {
  return find_engine(reading(std::move(variables)));
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

class ContextTest : public testing::Test {
 protected:
  ContextTest() {
    write("contexts/meta/1a/meta.json",
          R"({"Name": "near", "Endpoints": {"docker": {"Host": "unix:///run/near.sock"}}})");
    write("contexts/meta/2b/meta.json", R"({"Name": "far", "Endpoints": {"docker": {"Host": "tcp://far:7"}}})");
    write("contexts/meta/3c/meta.json",
          R"({"Name": "safe", "Endpoints": {"docker": {"Host": "tcp://safe:7", "SkipTLSVerify": false}}})");
    write("contexts/tls/3c/docker/ca.pem", "x");
    write("contexts/meta/4d/meta.json", R"({"Name": "ssh", "Endpoints": {"docker": {"Host": "ssh://ada@far"}}})");
    write("contexts/meta/5e/meta.json",
          R"({"Name": "lax", "Endpoints": {"docker": {"Host": "tcp://lax:7", "SkipTLSVerify": true}}})");
    write("contexts/meta/6f/meta.json", R"({"Name": "none", "Endpoints": {}})");
  }

  void write(const std::string& path, const std::string& text) { temporary_.write(path, text); }
  Result<EngineSettings> of_context(const std::string& name) {
    return find({{"DOCKER_CONFIG", directory_}, {"DOCKER_CONTEXT", name}});
  }

  TemporaryDirectory temporary_;
  const std::string directory_ = temporary_.path();
};

TEST_F(ContextTest, IsTheOneThatIsNamed) {
  EXPECT_EQ(of_context("near")->endpoint.to_string(), "unix:/run/near.sock");
  EXPECT_EQ(of_context("near")->source, "Docker's context near");
  EXPECT_EQ(of_context("far")->endpoint.to_string(), "http://far:7");
  EXPECT_EQ(of_context("default")->source, "the default socket");
  EXPECT_EQ(endpoint({{"DOCKER_CONFIG", directory_}, {"DOCKER_CONTEXT", "near"}, {"DOCKER_HOST", "tcp://a:1"}}),
            "http://a:1");
}

TEST_F(ContextTest, IsTheCurrentOneOfTheConfiguration) {
  EXPECT_EQ(find({{"DOCKER_CONFIG", directory_}})->source, "the default socket");
  write("config.json", R"({"auths": {}, "currentContext": "near"})");
  EXPECT_EQ(endpoint({{"DOCKER_CONFIG", directory_}}), "unix:/run/near.sock");
  EXPECT_EQ(endpoint({{"DOCKER_CONFIG", directory_}, {"DOCKER_CONTEXT", "far"}}), "http://far:7");
  write(".docker/config.json", "{");
  EXPECT_THAT(endpoint({{"HOME", directory_}}), HasSubstr("config.json is no JSON object"));
}

TEST_F(ContextTest, HasItsCertificatesBesideIt) {
  auto safe = of_context("safe");
  EXPECT_EQ(safe->endpoint.to_string(), "https://safe:7");
  EXPECT_EQ(safe->endpoint.ca_file, directory_ + "/contexts/tls/3c/docker/ca.pem");
  EXPECT_EQ(safe->endpoint.certificate_file, "");
}

TEST_F(ContextTest, ThatCannotBeUsedIsRefused) {
  for (auto [name, words] : {std::pair("ssh", "does not go through ssh"), std::pair("lax", "certificate"),
                             std::pair("none", "names no engine"), std::pair("absent", "is not in")}) {
    auto found = of_context(name);
    ASSERT_FALSE(found) << name;
    EXPECT_EQ(found.error().code, ErrorCode::invalid);
    EXPECT_THAT(found.error().message, HasSubstr(std::string("context ") + name));
    EXPECT_THAT(found.error().message, HasSubstr(words));
  }
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

TEST(DockerConfigDirectory, FollowsDocker) {
  EXPECT_EQ(docker_config_directory(reading({{"HOME", "/home/ada"}})), "/home/ada/.docker");
  EXPECT_EQ(docker_config_directory(reading({{"HOME", "/home/ada"}, {"DOCKER_CONFIG", "/etc/d"}})), "/etc/d");
  EXPECT_EQ(docker_config_directory(reading({})), "");
}

}  // namespace
}  // namespace plz
