#include <thread>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include "engine/real_engine_fixture.h"
#include "net/server_fixture.h"

namespace plz::testing_engine {
namespace {

using testing::HasSubstr;
using testing_net::eventually;

class EngineTest : public RealEngineTest {};
INSTANTIATE_TEST_SUITE_P(Engines, EngineTest, testing::Values("docker", "podman"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(EngineTest, SaysWhatItIs) {
  auto version = engine().version();
  ASSERT_TRUE(version) << version.error().message;
  EXPECT_EQ(version->name, GetParam() == std::string("docker") ? "Docker Engine" : "Podman Engine");
  EXPECT_THAT(version->api_version, HasSubstr("1."));
  auto pinged = engine().ping();
  ASSERT_TRUE(pinged) << pinged.error().message;
  EXPECT_EQ(pinged->version, version->version);
  EXPECT_EQ(pinged->api_version, version->api_version);
  EXPECT_EQ(pinged->name, version->name);
  auto info = engine().info();
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_THAT(info->runtimes, testing::Contains("runc"));
  EXPECT_FALSE(info->storage_driver.empty());
}

TEST_P(EngineTest, RunsAContainerFromItsBirthToItsEnd) {
  std::string id = create(R"(["exit","42"])", R"(,"Labels":{"plz.test":"life"})");
  auto created = engine().inspect_container(id);
  ASSERT_TRUE(created && *created) << created.error().message;
  EXPECT_EQ((*created)->status, ContainerStatus::created);
  ASSERT_TRUE(engine().start_container(id));
  auto status = engine().wait_container(id, {});
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(*status, 42);
  auto ended = engine().inspect_container(id);
  ASSERT_TRUE(ended && *ended);
  EXPECT_EQ((*ended)->status, ContainerStatus::exited);
  EXPECT_EQ((*ended)->exit_code, 42);
  EXPECT_EQ((*ended)->labels.at("plz.test"), "life");
  EXPECT_EQ((*ended)->id, id);
  EXPECT_TRUE(engine().remove_container(id));
  EXPECT_TRUE(engine().remove_container(id));
  EXPECT_FALSE(*engine().inspect_container(id));
}

TEST_P(EngineTest, StartsARunningContainerWithoutAWord) {
  std::string id = create(R"(["sleep"])");
  ASSERT_TRUE(engine().start_container(id));
  auto again = engine().start_container(id);
  EXPECT_TRUE(again) << again.error().message;
  auto state = engine().inspect_container(id);
  EXPECT_EQ((*state)->status, ContainerStatus::running);
  EXPECT_GT((*state)->pid, 0);
  EXPECT_TRUE(engine().kill_container(id, "SIGKILL"));
  EXPECT_EQ(engine().wait_container(id, {}).value_or(-1), 137);
}

TEST_P(EngineTest, StopsWaitingWhenAsked) {
  std::string id = create(R"(["sleep"])");
  ASSERT_TRUE(engine().start_container(id));
  std::stop_source stop;
  Result<int> waited = 0;
  std::thread waiter([&] { waited = engine().wait_container(id, stop.get_token()); });
  stop.request_stop();
  waiter.join();
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().code, ErrorCode::cancelled);
  EXPECT_EQ((*engine().inspect_container(id))->status, ContainerStatus::running);
}

TEST_P(EngineTest, SaysThatANameIsTaken) {
  std::string name = container_name();
  JsonText body{fmt::format(R"({{"Image":"{}","Cmd":["sleep"]}})", image())};
  ASSERT_TRUE(engine().create_container(name, body));
  auto again = engine().create_container(name, body);
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr(name));
  EXPECT_EQ(engine().inspect_container(name)->value().name, name);
}

TEST_P(EngineTest, SaysInItsWordsWhyAContainerCannotStart) {
  std::string id = create(R"(["x"])", R"(,"Entrypoint":["/nonexistent/binary"])");
  auto started = engine().start_container(id);
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("nonexistent"));
  auto none = engine().create_container(container_name(), {R"({"Image":"plz-test/no-such-image"})"});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::not_found);
  EXPECT_EQ(engine().start_container("plz-no-such-container").error().code, ErrorCode::not_found);
}

TEST_P(EngineTest, FollowsALog) {
  std::string id = create(R"(["say","to stdout","to stderr"])");
  ASSERT_TRUE(engine().start_container(id));
  std::string log;
  auto followed = engine().follow_log(id,
                                      [&](std::string_view bytes) -> Result<void> {
                                        log += bytes;
                                        return {};
                                      },
                                      {});
  ASSERT_TRUE(followed) << followed.error().message;
  EXPECT_THAT(log, HasSubstr("to stdout\n"));
  EXPECT_THAT(log, HasSubstr("to stderr\n"));
}

TEST_P(EngineTest, ListsOnlyWhatHasTheLabels) {
  std::string value = fmt::format("{}", getpid());
  std::string mine = create(R"(["sleep"])", fmt::format(R"(,"Labels":{{"plz.test.list":"{}","plz.kind":"x"}})", value));
  create(R"(["sleep"])");
  for (const Labels& labels : {Labels{{"plz.test.list", value}}, Labels{{"plz.test.list", ""}, {"plz.kind", "x"}}}) {
    auto list = engine().list_containers(labels, /*with_sizes=*/true);
    ASSERT_TRUE(list) << list.error().message;
    ASSERT_EQ(list->size(), 1u);
    EXPECT_EQ(list->front().id, mine);
    EXPECT_EQ(list->front().labels.at("plz.kind"), "x");
  }
  EXPECT_TRUE(engine().list_containers({{"plz.test.list", "another"}})->empty());
}

TEST_P(EngineTest, BuildsFromAnArchiveThatComesInPieces) {
  std::string archive = tar_of({{"Dockerfile", "FROM scratch\nCOPY big /big\n"}, {"big", std::string(3'000'000, 'x')}});
  std::string output;
  std::string tag = fmt::format("plz-engine-test-build:{}", getpid());
  std::string other = fmt::format("plz-engine-test-other:{}", getpid());
  auto built = engine().build_image({.tags = {tag, other}, .labels = {{"plz.test.image", tag}}}, source_of(archive),
                                    [&](std::string_view text) { output += text; }, {});
  ASSERT_TRUE(built) << built.error().message;
  EXPECT_THAT(*built, testing::StartsWith("sha256:"));
  EXPECT_THAT(output, HasSubstr("COPY big"));
  auto image = engine().inspect_image(tag);
  ASSERT_TRUE(image && *image);
  EXPECT_EQ((*image)->id, *built);
  EXPECT_EQ((*image)->labels.at("plz.test.image"), tag);
  EXPECT_EQ((*engine().inspect_image(other))->id, *built);
  auto list = engine().list_images({{"plz.test.image", tag}});
  ASSERT_TRUE(list) << list.error().message;
  ASSERT_EQ(list->size(), 1u);
  EXPECT_EQ(list->front().id, *built);
  EXPECT_TRUE(engine().remove_image(*built, /*force=*/true));
  EXPECT_FALSE(*engine().inspect_image(*built));
  EXPECT_TRUE(engine().remove_image(*built, /*force=*/true));
}

TEST_P(EngineTest, SaysInItsWordsWhyABuildFailed) {
  auto build = [&](const std::string& dockerfile) {
    return engine().build_image({}, source_of(tar_of({{"Dockerfile", dockerfile}})), [](std::string_view) {}, {});
  };
  auto unknown = build("FROM scratch\nFOLLOW me\n");
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("FOLLOW"));
  auto missing = build("FROM scratch\nCOPY nothing /\n");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::invalid);
  EXPECT_THAT(missing.error().message, HasSubstr("nothing"));
}

TEST_P(EngineTest, ASourceThatFailsEndsTheBuild) {
  auto built = engine().build_image(
      {}, [](char*, size_t) -> Result<size_t> { return fail(ErrorCode::not_found, "gone"); }, [](std::string_view) {},
      {});
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().message, "gone");
  EXPECT_TRUE(engine().version());
}

TEST_P(EngineTest, SaysWhichRegistryItDidNotReach) {
  auto pulled = engine().pull_image("127.0.0.1:1/plz-test/none:1", "", {}, [](const TransferProgress&) {}, {});
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().code, ErrorCode::unavailable);
  EXPECT_THAT(pulled.error().message, HasSubstr("127.0.0.1:1"));
}

}  // namespace
}  // namespace plz::testing_engine
