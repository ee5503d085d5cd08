#include "runtime/docker/container_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <signal.h>

#include "base/clock.h"

namespace plz {
namespace {

using Json = nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

class ContainerPlanTest : public testing::Test {
 protected:
  ContainerPlanTest() {
    spec_.attempt_id = AttemptId::make(SystemClock());
    spec_.execution_id = ExecutionId::make(SystemClock());
    spec_.command = {"python3", "train.py"};
    spec_.image = "sha256:1";
    spec_.code_tree = "/worker/code";
  }

  Result<ContainerPlan> plan() {
    return plan_container(spec_, image_, {"/usr/libexec/plz/plz-init", "/attempt/init", "/attempt/src", "here"});
  }
  // The body of POST /containers/create.
  Json body(const Json& arguments = Json::object()) {
    spec_.docker_run_args = {arguments.dump()};
    auto made = plan();
    EXPECT_TRUE(made) << made.error().message;
    return made ? Json::parse(made->create_body.text) : Json();
  }
  Json host(const Json& arguments = Json::object()) { return body(arguments)["HostConfig"]; }
  static Json mount(const Json& host, const std::string& target) {
    for (const Json& mount : host["Mounts"])
      if (mount["Target"] == target) return mount;
    return {};
  }

  LaunchSpec spec_;
  ImageDetails image_;
};

TEST_F(ContainerPlanTest, BearsTheLabelsOfItsAttempt) {
  Json labels = body({{"labels", {{"team", "vision"}, {"plz.attempt", "somebody else's"}}}})["Labels"];
  EXPECT_EQ(labels["team"], "vision");
  EXPECT_EQ(labels[kLabelAttempt], spec_.attempt_id.to_string());
  EXPECT_EQ(labels[kLabelExecution], spec_.execution_id.to_string());
  EXPECT_EQ(labels[kLabelController], "here");
  EXPECT_EQ(plan()->name, "plz-" + spec_.attempt_id.to_string());
}

TEST_F(ContainerPlanTest, AsksForTheGpusThatItsJobWasGiven) {
  EXPECT_FALSE(host().contains("DeviceRequests"));
  spec_.gpu_ids = {"GPU-one", "2"};
  Json requests = host()["DeviceRequests"];
  ASSERT_EQ(requests.size(), 1u) << requests;
  EXPECT_EQ(requests[0]["DeviceIDs"], Json({"GPU-one", "2"}));
  EXPECT_EQ(requests[0]["Count"], 0);
  EXPECT_EQ(requests[0]["Capabilities"], Json::parse(R"([["gpu"]])"));
  EXPECT_EQ(host({{"runtime", "runc"}})["Runtime"], "runc");
}

TEST_F(ContainerPlanTest, WhoSaysHowGpusComeIsTakenAtTheirWord) {
  spec_.gpu_ids = {"0"};
  Json by_runtime = host({{"runtime", "nvidia"}});
  EXPECT_EQ(by_runtime["Runtime"], "nvidia");
  EXPECT_FALSE(by_runtime.contains("DeviceRequests"));
  Json by_cdi = host({{"device_requests", {{{"Driver", "cdi"}, {"DeviceIDs", {"nvidia.com/gpu=1"}}}}}});
  ASSERT_EQ(by_cdi["DeviceRequests"].size(), 1u) << by_cdi;
  EXPECT_EQ(by_cdi["DeviceRequests"][0]["Driver"], "cdi");
  EXPECT_EQ(by_cdi["DeviceRequests"][0]["DeviceIDs"], Json({"nvidia.com/gpu=1"}));
}

TEST_F(ContainerPlanTest, MemoryIsALimitOnMemoryAndSwapTogether) {
  EXPECT_FALSE(host().contains("Memory"));
  spec_.resources.memory_bytes = 1u << 30;
  EXPECT_EQ(host()["Memory"], 1u << 30);
  EXPECT_EQ(host()["MemorySwap"], 1u << 30);
  Json own = host({{"mem_limit", "2g"}});
  EXPECT_EQ(own["Memory"], 2ull << 30);
  EXPECT_FALSE(own.contains("MemorySwap"));
  EXPECT_EQ(host({{"memswap_limit", -1}})["MemorySwap"], -1);
}

TEST_F(ContainerPlanTest, HasTheNetworkThatTheConfigurationSays) {
  EXPECT_FALSE(host().contains("NetworkMode"));
  spec_.network = false;
  EXPECT_EQ(host()["NetworkMode"], "none");
  EXPECT_EQ(host({{"network_mode", "host"}})["NetworkMode"], "host");
}

TEST_F(ContainerPlanTest, RunsWhatDockerWouldRun) {
  image_.entrypoint = {"/enter", "-x"};
  image_.command = {"serve"};
  EXPECT_THAT((body(), plan()->init.command), ElementsAre("/enter", "-x", "python3", "train.py"));
  EXPECT_THAT((body({{"entrypoint", {"/other"}}}), plan()->init.command), ElementsAre("/other", "python3", "train.py"));
  spec_.command.clear();
  EXPECT_THAT((body(), plan()->init.command), ElementsAre("/enter", "-x", "serve"));
  EXPECT_THAT((body({{"entrypoint", {"/other"}}}), plan()->init.command), ElementsAre("/other"));
  image_.entrypoint.clear();
  image_.command.clear();
  spec_.docker_run_args = {"{}"};
  auto nothing = plan();
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, ErrorCode::invalid);
  EXPECT_THAT(nothing.error().message, HasSubstr("no command"));
}

TEST_F(ContainerPlanTest, StartsAsRootAndBecomesTheUser) {
  image_.user = "1000";
  Json made = body({{"group_add", {"44"}}});
  EXPECT_EQ(made["User"], "0:0");
  EXPECT_EQ(made["Entrypoint"], Json({kContainerInitPath}));
  EXPECT_FALSE(made["HostConfig"].contains("GroupAdd"));
  EXPECT_EQ(plan()->init.user, "1000");
  EXPECT_THAT(plan()->init.groups, ElementsAre("44"));
  body({{"user", "7:8"}});
  EXPECT_EQ(plan()->init.user, "7:8");
}

TEST_F(ContainerPlanTest, IsTheUserAtOnceWhereRootMayNotBecomeIt) {
  for (const Json& dropped : {Json({"ALL"}), Json({"CAP_SETUID"}), Json({"setuid"})}) {
    Json made = body({{"user", "7"}, {"cap_drop", dropped}});
    EXPECT_EQ(made["User"], "7") << dropped;
    EXPECT_EQ(plan()->init.user, "");
  }
  EXPECT_EQ(body({{"user", "7"}, {"cap_drop", {"ALL"}}, {"cap_add", {"ALL"}}})["User"], "0:0");
  EXPECT_EQ(body({{"user", "7"}, {"cap_drop", {"ALL"}}, {"privileged", true}})["User"], "0:0");
}

TEST_F(ContainerPlanTest, LaterVariablesCount) {
  spec_.environment = {{"A", "1"}, {"B", "2"}};
  EXPECT_EQ(body({{"environment", {{"B", "3"}, {"C", "4"}}}})["Env"], Json({"A=1", "B=3", "C=4"}));
}

TEST_F(ContainerPlanTest, MountsArePlzsAndTheUsers) {
  spec_.mounts = {{.host_path = "/data/input", .job_path = "/plz/input", .writable = false}};
  Json made = host({{"volumes", {{"/scratch", {{"bind", "/s"}, {"mode", "rw"}}}}}});
  EXPECT_EQ(mount(made, "/plz/input")["ReadOnly"], true);
  EXPECT_EQ(mount(made, kContainerCodePath)["ReadOnly"], false);
  EXPECT_EQ(mount(made, kContainerInitPath)["ReadOnly"], true);
  EXPECT_EQ(mount(made, "/plz/code")["Source"], "/worker/code");
  EXPECT_EQ(made["Binds"], Json({"/scratch:/s:rw"}));
}

TEST_F(ContainerPlanTest, WithALogDriverTheEngineHasTheLog) {
  EXPECT_EQ(host()["LogConfig"]["Type"], "none");
  EXPECT_EQ(plan()->log_keeper, LogKeeper::plz_init);
  Json made = body({{"log_config", {{"Type", "json-file"}}}});
  EXPECT_EQ(made["HostConfig"]["LogConfig"]["Type"], "json-file");
  EXPECT_EQ(made["Cmd"], Json({"python3", "train.py"}));
  EXPECT_EQ(mount(made["HostConfig"], kContainerInitPath), Json());
  EXPECT_EQ(plan()->log_keeper, LogKeeper::engine);
}

TEST_F(ContainerPlanTest, TheStopSignalIsOneThatExists) {
  body({{"stop_signal", "SIGINT"}});
  EXPECT_EQ(plan()->stop_signal, SIGINT);
  spec_.docker_run_args = {R"({"stop_signal": "SIGNOT"})"};
  auto made = plan();
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("docker_run_args.stop_signal: there is no signal SIGNOT"));
}

TEST_F(ContainerPlanTest, ThePlatformIsAskedFor) {
  EXPECT_EQ((body(), plan()->platform), "");
  EXPECT_EQ((body({{"platform", "linux/arm64"}}), plan()->platform), "linux/arm64");
}

TEST(SignalNumber, KnowsNamesAndNumbers) {
  EXPECT_EQ(signal_number("SIGINT"), SIGINT);
  EXPECT_EQ(signal_number("INT"), SIGINT);
  EXPECT_EQ(signal_number("2"), 2);
  EXPECT_EQ(signal_number("SIGRTMIN+3"), SIGRTMIN + 3);
  for (const char* none : {"", "0", "65", "-1", "INTX", "SIGRTMIN+99"})
    EXPECT_EQ(signal_number(none), std::nullopt) << none;
}

}  // namespace
}  // namespace plz
