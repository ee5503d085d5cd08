#include "engine/run_arguments.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace plz {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

Json golden() {
  std::ifstream file(PLZ_RUN_ARGUMENTS_GOLDEN);
  return Json::parse(file);
}

TEST(RunArguments, MeanWhatTheDockerSdkMakesOfThem) {
  Json table = golden();
  ASSERT_GT(table.size(), 50u);
  for (const Json& row : table) {
    auto read = read_run_arguments({row["arguments"].dump()});
    ASSERT_TRUE(read) << row["arguments"] << ": " << read.error().message;
    EXPECT_EQ(Json::parse(read->create_body.text), row["body"]) << row["arguments"];
  }
}

TEST(RunArguments, MayBeNull) {
  auto read = read_run_arguments({R"({"user": null, "mem_limit": null, "name": null})"});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->create_body.text, "{}");
}

TEST(RunArguments, NameAndPlatformAreTheCallsOwn) {
  auto read = read_run_arguments({R"({"name": "mine", "platform": "linux/arm64"})"});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->name, "mine");
  EXPECT_EQ(read->platform, "linux/arm64");
  EXPECT_EQ(read->create_body.text, "{}");
}

TEST(RunArguments, TakeMountsAsTheApiHasThem) {
  auto read = read_run_arguments({R"({"mounts": [{"Target": "/c", "Source": "/h", "Type": "bind"}]})"});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->create_body.text, R"({"HostConfig":{"Mounts":[{"Source":"/h","Target":"/c","Type":"bind"}]}})");
}

TEST(RunArguments, NameTheNearestOfAnUnknownOne) {
  for (auto [given, nearest] : {std::pair("shm_sise", "shm_size"), std::pair("Runtime", "runtime"),
                                std::pair("capadd", "cap_add"), std::pair("platfrom", "platform")}) {
    auto read = read_run_arguments({Json{{given, "x"}}.dump()});
    ASSERT_FALSE(read) << given;
    EXPECT_EQ(read.error().code, ErrorCode::invalid);
    EXPECT_THAT(read.error().message, HasSubstr(std::string("docker_run_args.") + given));
    EXPECT_THAT(read.error().hint, HasSubstr(nearest));
  }
}

TEST(RunArguments, SayWhyOneCannotBe) {
  for (const char* name : {"auto_remove", "command", "detach", "image", "remove", "restart_policy", "stderr",
                           "stdin_open", "stdout", "stream", "tty", "gpus", "cpus"}) {
    auto read = read_run_arguments({Json{{name, true}}.dump()});
    ASSERT_FALSE(read) << name;
    EXPECT_THAT(read.error().message, HasSubstr(std::string("docker_run_args.") + name + ": "));
    EXPECT_FALSE(read.error().hint.empty());
  }
  auto both = read_run_arguments({R"({"network": "a", "network_mode": "host"})"});
  EXPECT_THAT(both.error().message, HasSubstr("network_mode"));
}

TEST(RunArguments, SayWhatAValueMustBe) {
  struct Row {
    const char *arguments, *words;
  };
  for (const Row& row : {Row{R"({"shm_size": "much"})", "docker_run_args.shm_size: must be a number of bytes"},
                         Row{R"({"shm_size": []})", "bytes"},
                         Row{R"({"shm_size": ""})", "bytes"},
                         Row{R"({"mem_limit": "1x"})", "bytes"},
                         Row{R"({"mem_limit": "1e99g"})", "bytes"},
                         Row{R"({"nano_cpus": 1.5})", "whole number"},
                         Row{R"({"privileged": "yes"})", "true or false"},
                         Row{R"({"cap_add": "SYS_PTRACE"})", "list of strings"},
                         Row{R"({"environment": 3})", "NAME=VALUE"},
                         Row{R"({"environment": {"A": []}})", "strings and numbers"},
                         Row{R"({"volumes": {"/h": {}}})", "bind"},
                         Row{R"({"ulimits": [{"soft": 1}]})", "name"},
                         Row{R"({"ulimits": [{"name": "x", "sotf": 1}]})", "soft"},
                         Row{R"({"device_requests": [{"count": "all"}]})", "count: must be a whole number"},
                         Row{R"({"mounts": [{"target": "/c", "type": "tmpfs", "no_copy": true}]})", "another type"},
                         Row{R"({"mounts": [{"source": "/c"}]})", "target"},
                         Row{R"({"userns_mode": "private"})", "host"},
                         Row{R"({"entrypoint": "a 'b"})", "quotation"},
                         Row{R"({"labels": {"a": 1}})", "strings"},
                         Row{"[]", "must be an object"},
                         Row{"{", "must be an object"}}) {
    auto read = read_run_arguments({row.arguments});
    ASSERT_FALSE(read) << row.arguments;
    EXPECT_EQ(read.error().code, ErrorCode::invalid);
    EXPECT_THAT(read.error().message, HasSubstr(row.words));
  }
}

}  // namespace
}  // namespace plz
