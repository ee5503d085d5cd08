// An engine on a small disk, which may also be killed: a second dockerd for the test. Root only.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

#include "engine/missing_engine_test.h"
#include "engine/own_engine.h"
#include "environment/docker/engine_fixture_test.h"
#include "os/process.h"

namespace plz {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing_environment::EngineTest;
using testing_environment::kBase;

constexpr int kDisk = 200;  // MiB; what is built from plz-test/base fits, and little more
constexpr const char* kRegistry = "127.0.0.1:5000";

class OwnEngineTest : public EngineTest {
 protected:
  std::optional<EngineSettings> engine_settings() override {
    const std::string obstacle = OwnEngine::obstacle(kBase);
    if (!obstacle.empty()) {
      [&] {
        if (geteuid() != 0) GTEST_SKIP() << "SKIPPED, no engine that may be killed: " << obstacle;
        PLZ_SKIP_FOR_WANT_OF("engine that may be killed: " + obstacle);
      }();
      return std::nullopt;
    }
    own_.emplace(kDisk);
    EXPECT_TRUE(own_->start());
    EXPECT_TRUE(own_->load(kBase));
    return EngineSettings{.endpoint = {.kind = Endpoint::Kind::unix_socket, .path = own_->socket()},
                          .source = "a test"};
  }
  void TearDown() override {
    if (own_) EngineTest::TearDown();
    if (registry_ > 0) {
      kill(registry_, SIGKILL);
      auto process = open_process(registry_);
      if (process && *process) {
        EXPECT_TRUE(*wait_readable((*process)->get(), -1, std::chrono::seconds(20)));
      }
      reap(registry_);
    }
    own_.reset();
  }

  // On the only address that this engine's network has. False: there is no registry program.
  bool start_registry() {
    auto program = find_program("docker-registry", "/usr/bin:/usr/local/bin");
    auto nsenter = find_program("nsenter", "/usr/bin:/bin");
    if (!program || !nsenter) return false;
    const std::string settings = own_->directory() + "/registry.yml";
    EXPECT_TRUE(write_file_atomically(settings,
                                      "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: "
                                      "{filesystem: {rootdirectory: " +
                                          own_->directory() + "/registry}}\nhttp: {addr: \"" + kRegistry + "\"}\n",
                                      0644, Sync::no));
    const std::string network = "--net=/proc/" + std::to_string(own_->process()) + "/ns/net";
    EXPECT_EQ(system(("nsenter " + network + " ip link set lo up").c_str()), 0);
    auto started = spawn({.program = *nsenter,
                          .arguments = {"nsenter", network, *program, "serve", settings},
                          .environment = {"OTEL_TRACES_EXPORTER=none"}});
    EXPECT_TRUE(started);
    registry_ = *started;
    return true;
  }

  std::optional<OwnEngine> own_;

 private:
  pid_t registry_ = -1;
};

TEST_F(OwnEngineTest, AFullDiskDuringABuildIsUnavailable) {
  Error error = refused(extended({"RUN dd if=/dev/zero of=/big bs=1M count=400"}));
  EXPECT_EQ(error.code, ErrorCode::unavailable);
  EXPECT_THAT(error.message, HasSubstr("o space left on device"));
  EXPECT_THAT(error.hint, HasSubstr("docker system df"));
  EXPECT_THAT(built(), IsEmpty());
  EXPECT_NE(ensured(extended({"RUN echo small > /small"})).id, "");
}

TEST_F(OwnEngineTest, AFullDiskDuringAPullIsUnavailable) {
  if (!start_registry()) PLZ_SKIP_FOR_WANT_OF("registry: apt-get install docker-registry");
  const std::string image = std::string(kRegistry) + "/base";
  ASSERT_EQ(own_->docker("tag " + std::string(kBase) + " " + image), 0);
  int pushed = 1;
  for (int i = 0; i < 900 && pushed != 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    pushed = own_->docker("push " + image);
  }
  ASSERT_EQ(pushed, 0);
  ASSERT_EQ(own_->docker("rmi " + image + " " + kBase), 0);
  own_->fill_disk(25);
  Error error = refused(request({.image = image}));
  EXPECT_EQ(error.code, ErrorCode::unavailable) << error.message;
  EXPECT_THAT(error.message, HasSubstr("o space left on device"));
  EXPECT_THAT(error.hint, HasSubstr("docker system df"));
  own_->free_disk();
  EXPECT_NE(ensured(request({.image = image})).id, "");
}

TEST_F(OwnEngineTest, EvictsWhatWasNotUsedForLongest) {
  auto tight = worker({.limit_bytes = 20u << 20});
  // Of 8 MiB each.
  auto use = [&](const std::string& name) {
    clock_.advance(std::chrono::hours(2));
    return ensured(extended({"RUN head -c 8388608 /dev/urandom > /" + name}), tight.get()).id;
  };
  const std::string first = use("first"), second = use("second"), third = use("third");
  EXPECT_EQ(use("first"), first);
  clock_.advance(std::chrono::hours(2));
  ASSERT_TRUE(tight->evict());
  EXPECT_THAT(built(), testing::UnorderedElementsAre(first, third));
  EXPECT_TRUE(*engine().inspect_image(kBase));
  ASSERT_TRUE(tight->evict());
  EXPECT_EQ(built().size(), 2u);
}

TEST_F(OwnEngineTest, KilledDuringABuildItIsUnavailable) {
  Say say = [&](std::string_view line) {
    said_.say()(line);
    if (line.starts_with("now")) own_->end(SIGKILL);
  };
  const auto wanted = extended({"RUN echo now; sleep 6"});
  auto ready = environments().ensure(wanted, say, {});
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().code, ErrorCode::unavailable) << ready.error().message;
  ASSERT_TRUE(own_->start());
  EXPECT_THAT(built(), testing::SizeIs(1)) << "nobody could remove what the first step had made";
  EXPECT_EQ(containers(), 1u);
  EXPECT_TRUE(environments().evict());
  EXPECT_THAT(built(), IsEmpty());
  EXPECT_EQ(containers(), 0u);
  EXPECT_NE(ensured(wanted).id, "");
  EXPECT_EQ(built().size(), 1u);
}

}  // namespace
}  // namespace plz
