#include "engine/engine_json.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace plz::engine_json {
namespace {

using testing::ElementsAre;

TEST(EngineJson, ReadsVersions) {
  auto docker = read_version(R"({"Version":"20.10.24","ApiVersion":"1.41","Components":[{"Name":"Engine"}]})");
  ASSERT_TRUE(docker);
  EXPECT_EQ(docker->version, "20.10.24");
  EXPECT_EQ(docker->api_version, "1.41");
  EXPECT_EQ(docker->name, "Docker Engine");
  auto podman = read_version(R"({"Version":"4.3.1","ApiVersion":"1.41","Components":[{"Name":"Podman Engine"}]})");
  EXPECT_EQ(podman->name, "Podman Engine");
}

TEST(EngineJson, ReadsWhatTheEngineCanDo) {
  auto info = read_info(R"({"Driver":"overlay2","Architecture":"x86_64","Runtimes":{"nvidia":{},"runc":{}},
                            "SecurityOptions":["name=seccomp","name=rootless"]})");
  ASSERT_TRUE(info);
  EXPECT_THAT(info->runtimes, ElementsAre("nvidia", "runc"));
  EXPECT_EQ(info->storage_driver, "overlay2");
  EXPECT_EQ(info->security_options, "name=seccomp,name=rootless");
  EXPECT_TRUE(info->devices.empty());
  EXPECT_TRUE(read_info(R"({"Runtimes":null,"SecurityOptions":null,"DiscoveredDevices":null})"));
  auto with_gpus = read_info(R"({"DiscoveredDevices":[{"Source":"cdi","ID":"nvidia.com/gpu=0"},
                                                      {"Source":"cdi","ID":"nvidia.com/gpu=all"}]})");
  ASSERT_TRUE(with_gpus);
  EXPECT_THAT(with_gpus->devices, ElementsAre("nvidia.com/gpu=0", "nvidia.com/gpu=all"));
}

TEST(EngineJson, ReadsContainers) {
  auto container = read_container(R"({"Id":"abc","Name":"/plz-1","Image":"sha256:1",
    "State":{"Status":"exited","ExitCode":137,"OOMKilled":true,"Error":"","Pid":0},"Config":{"Labels":{"plz.attempt":"1"}}})");
  ASSERT_TRUE(container) << container.error().message;
  EXPECT_EQ(container->id, "abc");
  EXPECT_EQ(container->name, "plz-1");
  EXPECT_EQ(container->image_id, "sha256:1");
  EXPECT_EQ(container->status, ContainerStatus::exited);
  EXPECT_EQ(container->exit_code, 137);
  EXPECT_TRUE(container->out_of_memory);
  EXPECT_EQ(container->labels, (Labels{{"plz.attempt", "1"}}));
}

TEST(EngineJson, KnowsTheWordsOfDockerAndOfPodman) {
  auto status = [](const std::string& word) {
    return read_container(R"({"Id":"a","State":{"Status":")" + word + R"("}})")->status;
  };
  EXPECT_EQ(status("created"), ContainerStatus::created);
  EXPECT_EQ(status("configured"), ContainerStatus::created);
  EXPECT_EQ(status("running"), ContainerStatus::running);
  EXPECT_EQ(status("stopping"), ContainerStatus::running);
  EXPECT_EQ(status("paused"), ContainerStatus::paused);
  EXPECT_EQ(status("restarting"), ContainerStatus::restarting);
  EXPECT_EQ(status("removing"), ContainerStatus::removing);
  EXPECT_EQ(status("stopped"), ContainerStatus::exited);
  EXPECT_EQ(status("dead"), ContainerStatus::dead);
}

TEST(EngineJson, ReadsListsOfContainers) {
  auto list = read_containers(R"([{"Id":"a","Names":["/plz-1","/other/alias"],"ImageID":"sha256:1","State":"running",
                                   "Labels":{"k":"v"},"SizeRw":4096},{"Id":"b","Names":null,"Labels":null}])");
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ((*list)[0].name, "plz-1");
  EXPECT_EQ((*list)[0].writable_bytes, 4096u);
  EXPECT_EQ((*list)[0].labels, (Labels{{"k", "v"}}));
  EXPECT_EQ((*list)[1].name, "");
}

TEST(EngineJson, ReadsImages) {
  auto image =
      read_image(R"({"Id":"sha256:1","RepoTags":["debian:12","<none>:<none>"],"RepoDigests":["debian@sha256:2"],
    "Architecture":"amd64","Os":"linux","RootFS":{"Type":"layers","Layers":["sha256:a","sha256:b"]},"Size":52000000,"Created":"2026-01-01T00:00:00Z",
    "Config":{"Entrypoint":["/e"],"Cmd":["c","d"],"Env":["A=b"],"User":"1000","WorkingDir":"/w","OnBuild":["COPY . ."],"Labels":null}})");
  ASSERT_TRUE(image);
  EXPECT_THAT(image->tags, ElementsAre("debian:12"));
  EXPECT_THAT(image->digests, ElementsAre("debian@sha256:2"));
  EXPECT_THAT(image->entrypoint, ElementsAre("/e"));
  EXPECT_THAT(image->command, ElementsAre("c", "d"));
  EXPECT_THAT(image->environment, ElementsAre("A=b"));
  EXPECT_THAT(image->on_build, ElementsAre("COPY . ."));
  EXPECT_EQ(image->user, "1000");
  EXPECT_EQ(image->working_directory, "/w");
  EXPECT_EQ(image->bytes, 52'000'000u);
  EXPECT_THAT(image->layers, ElementsAre("sha256:a", "sha256:b"));
  auto bare = read_image(R"({"Id":"sha256:1","RepoTags":null,"Config":{"Entrypoint":null,"Cmd":null,"OnBuild":null}})");
  ASSERT_TRUE(bare);
  EXPECT_TRUE(bare->command.empty());
  auto list = read_images(
      R"([{"Id":"sha256:1","ParentId":"sha256:0","RepoTags":["<none>:<none>"],"Labels":{"k":"v"},"Size":3,"Containers":-1}])");
  ASSERT_TRUE(list);
  EXPECT_TRUE((*list)[0].tags.empty());
  EXPECT_EQ((*list)[0].parent, "sha256:0");
  EXPECT_EQ((*list)[0].containers, -1);
}

TEST(EngineJson, RefusesWhatIsNoAnswerOfAnEngine) {
  for (const char* body : {"", "<html>", "[]", "null", "{}", R"({"Id":3})", "{\"Id\":\"\xff\"}"}) {
    EXPECT_EQ(read_created(body).error().code, ErrorCode::unavailable) << body;
    EXPECT_EQ(read_container(body).error().code, ErrorCode::unavailable) << body;
    EXPECT_EQ(read_version(body).error().code, ErrorCode::unavailable) << body;
    EXPECT_EQ(read_image(body).error().code, ErrorCode::unavailable) << body;
    EXPECT_EQ(read_exit_status(body).error().code, ErrorCode::unavailable) << body;
  }
  EXPECT_EQ(read_containers("{}").error().code, ErrorCode::unavailable);
}

TEST(EngineJson, ReadsTheEnginesWords) {
  EXPECT_EQ(read_message(R"({"message":"No such image: x"})"), "No such image: x");
  EXPECT_EQ(read_message("two\nlines \n"), "two lines");
  EXPECT_EQ(read_message(R"({"cause":"x"})"), R"({"cause":"x"})");
}

TEST(EngineJson, ReadsHowAContainerEnded) {
  EXPECT_EQ(*read_exit_status(R"({"StatusCode":42,"Error":null})"), 42);
  EXPECT_FALSE(read_exit_status(R"({"StatusCode":0,"Error":{"Message":"it was removed"}})"));
}

TEST(EngineJson, WritesFilters) {
  EXPECT_EQ(label_filters({{"a", "b"}, {"c", ""}}), R"({"label":["a=b","c"]})");
  EXPECT_EQ(object_of({{"HTTP_PROXY", "x\"y"}}), R"({"HTTP_PROXY":"x\"y"})");
  EXPECT_EQ(object_of({}), "{}");
}

std::string decode_url(std::string text) {
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  return *base64_decode(text);
}

TEST(EngineJson, WritesCredentials) {
  EXPECT_EQ(decode_url(registry_auth({})), "{}");
  EXPECT_EQ(decode_url(registry_auth({.server = "r:5000", .username = "u", .password = "p\xc3\xbf?>"})),
            "{\"password\":\"p\xc3\xbf?>\",\"serveraddress\":\"r:5000\",\"username\":\"u\"}");
  EXPECT_EQ(decode_url(registry_auth({.server = "r", .username = "<token>", .identity_token = "t"})),
            R"({"identitytoken":"t","serveraddress":"r"})");
  EXPECT_EQ(decode_url(registry_config({{"r", {.server = "r", .username = "u", .password = "p"}}})),
            R"({"r":{"password":"p","serveraddress":"r","username":"u"}})");
  EXPECT_EQ(registry_auth({.server = "r", .username = "????", .password = "~~~~"}).find_first_of("+/"),
            std::string::npos);
}

TEST(EngineJson, ReadsLinesOfBuildsAndTransfers) {
  EXPECT_EQ(read_stream_line(R"({"stream":"Step 1/2 : FROM x\n"})")->output, "Step 1/2 : FROM x\n");
  EXPECT_EQ(read_stream_line(R"({"aux":{"ID":"sha256:1"}})")->image_id, "sha256:1");
  auto line = read_stream_line(R"({"status":"Downloading","progressDetail":{"current":5,"total":10},"id":"a1"})");
  ASSERT_TRUE(line->progress);
  EXPECT_EQ(line->progress->layer, "a1");
  EXPECT_EQ(line->progress->status, "Downloading");
  EXPECT_EQ(line->progress->bytes, 5u);
  EXPECT_EQ(line->progress->total, 10u);
  EXPECT_EQ(read_stream_line(R"({"aux":{"Tag":"t","Digest":"sha256:2","Size":1}})")->digest, "sha256:2");
  EXPECT_EQ(read_stream_line(R"({"status":"t: digest: sha256:2 size: 427"})")->digest, "sha256:2");
  EXPECT_EQ(*read_stream_line(R"({"error":"it failed","errorDetail":{"message":"x"}})")->error, "it failed");
  EXPECT_EQ(*read_stream_line(R"({"errorDetail":{"message":"it failed"}})")->error, "it failed");
  EXPECT_FALSE(read_stream_line(R"({"stream":"x"})")->error);
  EXPECT_FALSE(read_stream_line("not JSON"));
}

}  // namespace
}  // namespace plz::engine_json
