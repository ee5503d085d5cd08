#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <map>

#include <gtest/gtest.h>

#include "aws/default_credentials.h"
#include "aws/metadata_credentials.h"
#include "net/http_server.h"
#include "os/fd.h"
#include "os/file.h"
#include "os/temporary_directory_test.h"

namespace plz {
namespace {

using namespace std::chrono_literals;

using Environment = std::map<std::string, std::string>;

Variables reader(Environment environment) {
  return [environment = std::move(environment)](const char* name) -> std::optional<std::string> {
    auto at = environment.find(name);
    return at == environment.end() ? std::nullopt : std::optional(at->second);
  };
}

// "id secret token", "none", or "error: …".
std::string show(const Result<std::optional<AwsCredentials>>& found) {
  if (!found) return std::string(to_string(found.error().code)) + ": " + found.error().message;
  if (!*found) return "none";
  return (*found)->access_key_id + " " + (*found)->secret_access_key + " " + (*found)->session_token;
}

TEST(EnvironmentCredentials, ReadsTheVariables) {
  auto found = [](Environment environment) {
    return EnvironmentCredentials(reader(std::move(environment))).credentials();
  };
  EXPECT_EQ(show(found({})), "none");
  EXPECT_EQ(show(found({{"AWS_ACCESS_KEY_ID", ""}, {"AWS_SECRET_ACCESS_KEY", "s"}})), "none");
  EXPECT_EQ(show(found({{"AWS_ACCESS_KEY_ID", "a"}, {"AWS_SECRET_ACCESS_KEY", "s"}})), "a s ");
  EXPECT_EQ(show(found({{"AWS_ACCESS_KEY_ID", "a"}})),
            "invalid: AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not");
  auto temporary = found({{"AWS_ACCESS_KEY_ID", "a"},
                          {"AWS_SECRET_ACCESS_KEY", "s"},
                          {"AWS_SESSION_TOKEN", "t"},
                          {"AWS_CREDENTIAL_EXPIRATION", "2026-03-01T12:00:00Z"}});
  EXPECT_EQ(show(temporary), "a s t");
  EXPECT_EQ((*temporary)->expires, parse_rfc3339("2026-03-01T12:00:00Z"));
}

class ProfileCredentialsTest : public testing::Test {
 protected:
  void write(const std::string& name, std::string_view text) { temporary_.write(name, text, 0600); }
  std::string found(Environment environment = {}) {
    environment["HOME"] = home_;
    return show(ProfileCredentials(reader(environment)).credentials());
  }
  std::string region(Environment environment = {}) {
    environment["HOME"] = home_;
    auto region = find_aws_region(reader(environment));
    return region ? region->value_or("none") : region.error().message;
  }

  TemporaryDirectory temporary_;
  const std::string home_ = temporary_.path();
};

constexpr std::string_view kTwo =
    "[default]\naws_access_key_id=a\naws_secret_access_key=b\n[ada]\naws_access_key_id=c\naws_secret_access_key=d\n"
    "aws_session_token=e\n";

TEST_F(ProfileCredentialsTest, ChoosesTheProfile) {
  EXPECT_EQ(found(), "none");
  write(".aws/credentials", kTwo);
  EXPECT_EQ(found(), "a b ");
  EXPECT_EQ(found({{"AWS_PROFILE", "ada"}}), "c d e");
  EXPECT_EQ(found({{"AWS_DEFAULT_PROFILE", "ada"}}), "c d e");
  EXPECT_EQ(found({{"AWS_PROFILE", "bob"}}), "invalid: the AWS profile bob is neither in " + home_ +
                                                 "/.aws/credentials nor in " + home_ + "/.aws/config");
}

TEST_F(ProfileCredentialsTest, FindsTheFiles) {
  write("elsewhere", kTwo);
  EXPECT_EQ(found({{"AWS_SHARED_CREDENTIALS_FILE", home_ + "/elsewhere"}}), "a b ");
  EXPECT_EQ(found({{"AWS_SHARED_CREDENTIALS_FILE", "~/elsewhere"}}), "a b ");
  write(".aws/config", "[profile ada]\naws_access_key_id=x\naws_secret_access_key=y\n");
  EXPECT_EQ(found({{"AWS_PROFILE", "ada"}}), "x y ");
  write(".aws/credentials", kTwo);
  EXPECT_EQ(found({{"AWS_PROFILE", "ada"}}), "c d e");
}

TEST_F(ProfileCredentialsTest, SaysWhatItCannotUse) {
  write(".aws/credentials", "[default]\naws_access_key_id=a\n");
  EXPECT_EQ(found(), "invalid: the profile default of " + home_ +
                         "/.aws/credentials has aws_access_key_id without aws_secret_access_key");
  write(".aws/credentials", "nonsense s3cr3t\n");
  EXPECT_EQ(found(), "invalid: " + home_ + "/.aws/credentials: line 1 is neither a [section] nor NAME = VALUE");
  write(".aws/credentials", "");
  write(".aws/config", "[profile dev]\nsso_session=x\n[profile role]\nrole_arn=y\nsource_profile=dev\n");
  EXPECT_EQ(found({{"AWS_PROFILE", "dev"}}),
            "invalid: the AWS profile dev gets its keys by sso_session, which plz cannot do");
  EXPECT_EQ(found({{"AWS_PROFILE", "role"}}),
            "invalid: the AWS profile role gets its keys by role_arn, which plz cannot do");
}

TEST_F(ProfileCredentialsTest, FindsTheRegion) {
  EXPECT_EQ(region(), "none");
  write(".aws/config", "[default]\nregion = eu-west-1\n[profile ada]\nregion = eu-west-2\n");
  EXPECT_EQ(region(), "eu-west-1");
  EXPECT_EQ(region({{"AWS_PROFILE", "ada"}}), "eu-west-2");
  EXPECT_EQ(region({{"AWS_DEFAULT_REGION", "c"}}), "c");
  EXPECT_EQ(region({{"AWS_DEFAULT_REGION", "c"}, {"AWS_REGION", "d"}}), "d");
}

// Answers from a list; the last one again and again.
class Scripted final : public CredentialsProvider {
 public:
  explicit Scripted(std::vector<Result<std::optional<AwsCredentials>>> answers) : answers_(std::move(answers)) {}
  Result<std::optional<AwsCredentials>> credentials() override {
    auto answer = answers_.front();
    if (answers_.size() > 1) answers_.erase(answers_.begin());
    return answer;
  }

 private:
  std::vector<Result<std::optional<AwsCredentials>>> answers_;
};

AwsCredentials keys(std::string id, std::optional<Timestamp> expires = {}) {
  return {std::move(id), "s", "", expires, ""};
}

std::unique_ptr<Scripted> scripted(std::vector<Result<std::optional<AwsCredentials>>> answers) {
  return std::make_unique<Scripted>(std::move(answers));
}

TEST(FirstCredentials, AsksInOrder) {
  auto first = [](auto one, auto two) {
    std::vector<std::unique_ptr<CredentialsProvider>> both;
    both.push_back(scripted({one}));
    both.push_back(scripted({two}));
    return show(FirstCredentials(std::move(both)).credentials());
  };
  Result<std::optional<AwsCredentials>> none = std::nullopt, a = keys("a"), b = keys("b"),
                                        broken = fail(ErrorCode::invalid, "x");
  EXPECT_EQ(first(a, b), "a s ");
  EXPECT_EQ(first(none, b), "b s ");
  EXPECT_EQ(first(none, none), "none");
  EXPECT_EQ(first(broken, b), "invalid: x");
}

TEST(KeptCredentials, KeepsThemUntilShortlyBeforeTheirEnd) {
  FakeClock clock;
  KeptCredentials kept(scripted({keys("a", clock.now() + 1h), keys("b", clock.now() + 2h)}), clock);
  EXPECT_EQ(show(kept.credentials()), "a s ");
  clock.advance(54min);
  EXPECT_EQ(show(kept.credentials()), "a s ");
  clock.advance(1min);
  EXPECT_EQ(show(kept.credentials()), "b s ");
}

TEST(KeptCredentials, UsesOldOnesWhileNewOnesAreNotToBeHad) {
  FakeClock clock;
  KeptCredentials kept(scripted({keys("a", clock.now() + 1h), fail(ErrorCode::unavailable, "x")}), clock);
  EXPECT_EQ(show(kept.credentials()), "a s ");
  clock.advance(59min);
  EXPECT_EQ(show(kept.credentials()), "a s ");
  clock.advance(1min);
  EXPECT_EQ(show(kept.credentials()), "unavailable: x");
}

TEST(KeptCredentials, AsksEachTimeForLastingOnes) {
  FakeClock clock;
  KeptCredentials kept(scripted({keys("a"), keys("b")}), clock);
  EXPECT_EQ(show(kept.credentials()), "a s ");
  EXPECT_EQ(show(kept.credentials()), "b s ");
}

// A metadata service that answers by path.
class Service {
 public:
  explicit Service(std::map<std::string, Response> answers)
      : server_({.handler_threads = 1}, [answers = std::move(answers)](Request& request) {
          auto at = answers.find(request.method + " " + request.target.path);
          return at == answers.end() ? Response{.status = 404} : at->second;
        }) {
    port_ = server_.listen_tcp("127.0.0.1", 0).value();
    EXPECT_TRUE(server_.start());
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  HttpServer server_;
  uint16_t port_ = 0;
};

constexpr const char* kRoles = "GET /latest/meta-data/iam/security-credentials/";

std::string of_instance(const std::string& url) {
  return show(
      InstanceCredentials(reader({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", url}, {"AWS_METADATA_SERVICE_TIMEOUT", "90"}}))
          .credentials());
}

TEST(InstanceCredentials, TakesWhatTheServiceSays) {
  const Response session{.body = "session"}, role{.body = "worker\n"};
  const std::string of_role = std::string(kRoles) + "worker";
  auto with = [&](Response keys) {
    return of_instance(Service({{"PUT /latest/api/token", session}, {kRoles, role}, {of_role, keys}}).url());
  };
  EXPECT_EQ(with({.body = R"({"Code": "Success", "AccessKeyId": "a", "SecretAccessKey": "b", "Token": "c",
                              "Expiration": "2026-03-01T12:00:00Z"})"}),
            "a b c");
  EXPECT_EQ(with({.body = R"({"Code": "AssumeRoleUnauthorizedAccess"})"}),
            "unavailable: the instance's role worker gave no credentials: AssumeRoleUnauthorizedAccess");
  EXPECT_EQ(with({.body = "{}"}),
            "unavailable: the instance's role worker gave no credentials: AccessKeyId is missing");
  EXPECT_EQ(with({.status = 500, .body = "oh"}), "unavailable: the instance's metadata service answered 500: oh");
  EXPECT_EQ(of_instance(Service({{"PUT /latest/api/token", session}}).url()), "none");
  EXPECT_EQ(of_instance(Service({}).url()), "none");
}

TEST(InstanceCredentials, IsNoInstanceWhereNobodyAnswers) {
  EXPECT_EQ(of_instance("unix:/nonexistent"), "none");
  // One that is there, and says nothing.
  UniqueFd silent(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(silent.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(silent.get(), 1), 0);
  ASSERT_EQ(getsockname(silent.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  for (const char* timeout : {"1", "soon"})
    EXPECT_EQ(show(InstanceCredentials(
                       reader({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", url}, {"AWS_METADATA_SERVICE_TIMEOUT", timeout}}))
                       .credentials()),
              "none");
  EXPECT_EQ(show(InstanceCredentials(reader({{"AWS_EC2_METADATA_DISABLED", "true"}})).credentials()), "none");
}

TEST(ContainerCredentials, AsksOnlyNearHostsWithoutTls) {
  auto found = [](const char* url) {
    return show(ContainerCredentials(reader({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url}})).credentials());
  };
  EXPECT_EQ(show(ContainerCredentials(reader({})).credentials()), "none");
  EXPECT_EQ(found("http://keys.example/"),
            "invalid: AWS_CONTAINER_CREDENTIALS_FULL_URI names http://keys.example:80, "
            "which is far away and without TLS");
  EXPECT_TRUE(found("http://127.keys.example/").ends_with("far away and without TLS"));
  EXPECT_EQ(show(ContainerCredentials(reader({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "x"}})).credentials()),
            "invalid: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with a slash");
  EXPECT_TRUE(found("nonsense").starts_with("invalid: AWS_CONTAINER_CREDENTIALS_FULL_URI: "));
}

}  // namespace
}  // namespace plz
