// An engine reached as DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH say: Docker's own, over TCP and TLS.
#include <cstdlib>
#include <map>
#include <thread>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "engine/engine_client.h"
#include "engine/missing_engine_test.h"
#include "engine/own_engine.h"
#include "engine/real_engine_fixture.h"

namespace plz {
namespace {

using testing::HasSubstr;

// In the directory: an authority, and what it has signed for the engine and for a client of it.
constexpr char kMakeCertificates[] = R"(set -e; cd {}; mkdir engine client stranger
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem
make() {{
  openssl req -newkey rsa:2048 -nodes -subj /CN=$1 -keyout $1/key.pem -out $1/request
  echo "$2" > $1/extensions
  openssl x509 -req -days 2 -in $1/request -CA ca.pem -CAkey ca.key -CAcreateserial -extfile $1/extensions -out $1/cert.pem
  cp ca.pem $1/
}}
make engine "subjectAltName=IP:127.0.0.1
extendedKeyUsage=serverAuth"
make client extendedKeyUsage=clientAuth
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=stranger -keyout stranger/key.pem -out stranger/cert.pem
cp ca.pem stranger/
)";

// Below `directory` are the certificates; the calling thread is in the engine's network.
void check_engine_over_tls(const std::string& directory) {
  const std::string host = "127.0.0.1:2376";
  auto client_of = [&](const std::string& person) {
    std::map<std::string, std::string> variables = {
        {"DOCKER_HOST", "tcp://" + host}, {"DOCKER_TLS_VERIFY", "1"}, {"DOCKER_CERT_PATH", directory + "/" + person}};
    auto settings = find_engine([&](const char* name) -> std::optional<std::string> {
      auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    });
    EXPECT_TRUE(settings);
    return EngineClient(*settings);
  };

  EngineClient known = client_of("client");
  auto version = known.version();
  ASSERT_TRUE(version) << version.error().message;
  EXPECT_EQ(version->name, "Docker Engine");
  // What is sent and streamed for long goes through TLS as well.
  std::string archive = testing_engine::tar_of(
      {{"Dockerfile", "FROM scratch\nCOPY program /program\nCOPY big /big\nENTRYPOINT [\"/program\"]\n"},
       {"program", testing_engine::test_program()},
       {"big", std::string(3'000'000, 'x')}});
  auto image = known.build_image({}, testing_engine::source_of(archive), [](std::string_view) {}, {});
  ASSERT_TRUE(image) << image.error().message;
  auto container = known.create_container(
      "over-tls",
      {fmt::format(R"({{"Image":"{}","Cmd":["say","hello","again"],"HostConfig":{{"NetworkMode":"none"}}}})", *image)});
  ASSERT_TRUE(container) << container.error().message;
  auto started = known.start_container(*container);
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_TRUE(known.wait_container(*container, {}));
  std::string log;
  auto followed = known.follow_log(*container,
                                   [&](std::string_view bytes) -> Result<void> {
                                     log += bytes;
                                     return {};
                                   },
                                   {});
  EXPECT_TRUE(followed) << followed.error().message;
  EXPECT_THAT(log, HasSubstr("hello\n"));
  EXPECT_TRUE(known.remove_container(*container));

  for (const char* person : {"stranger", "nobody"}) {
    auto refused = client_of(person).version();
    ASSERT_FALSE(refused) << person;
    EXPECT_THAT(refused.error().message + refused.error().hint,
                HasSubstr(person == std::string("nobody") ? "/nobody/" : host))
        << person;
  }
}

TEST(EngineOverTls, IsReachedAsTheVariablesSay) {
  if (geteuid() != 0) GTEST_SKIP() << "SKIPPED, no engine of our own: only root can start one";
  if (std::string why = OwnEngine::obstacle(); !why.empty()) PLZ_SKIP_FOR_WANT_OF("engine of our own: " + why);
  OwnEngine own;
  const std::string& directory = own.directory();
  ASSERT_EQ(
      system(fmt::format("({}) >{}/openssl.log 2>&1", fmt::format(kMakeCertificates, directory), directory).c_str()),
      0);
  own.listen_with_tls(directory + "/engine");
  ASSERT_TRUE(own.start());
  std::thread in_its_network([&] {
    ASSERT_TRUE(own.enter_network());
    check_engine_over_tls(directory);
  });
  in_its_network.join();
}

}  // namespace
}  // namespace plz
