#include "worker/runtime_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plz {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct Machine {
  RuntimeFingerprint sandbox{.name = "sandbox", .available = true};
  RuntimeFingerprint process{.name = "process", .available = true};
  RuntimeFingerprint docker{.name = "docker", .available = true};

  RuntimeChoice choice(const std::string& asked, bool is_root = false, const std::string& image = "") const {
    ExecutionSpec spec;
    spec.runtime = asked;
    spec.snapshot.environment.image = image;
    return choose_runtime(spec, {sandbox, process, docker}, is_root);
  }
  std::string name(const std::string& asked, bool is_root = false, const std::string& image = "") const {
    const RuntimeChoice chosen = choice(asked, is_root, image);
    if (!chosen.refusal.empty()) return "refused";
    return std::vector{sandbox, process, docker}[chosen.index].name;
  }
};

Machine without_sandbox() {
  Machine machine;
  machine.sandbox = {.name = "sandbox", .available = false, .detail = "user namespaces are forbidden"};
  return machine;
}

TEST(RuntimeChoice, IsTheSandboxUnlessAskedOtherwise) {
  const Machine machine;
  for (bool is_root : {false, true}) {
    EXPECT_EQ(machine.name("", is_root), "sandbox");
    EXPECT_EQ(machine.name("sandbox", is_root), "sandbox");
    EXPECT_EQ(machine.name("process", is_root), "process");
    EXPECT_EQ(machine.name("", is_root, "debian:12"), "docker");
  }
  EXPECT_EQ(machine.choice("process").unboxed, "");
}

TEST(RuntimeChoice, IsAProcessWhereTheSandboxIsRefused) {
  const Machine machine = without_sandbox();
  EXPECT_EQ(machine.name(""), "process");
  EXPECT_EQ(machine.choice("").unboxed, "user namespaces are forbidden");
  EXPECT_EQ(machine.name("process"), "process");
  EXPECT_EQ(machine.choice("process").unboxed, "");
  EXPECT_EQ(machine.choice("sandbox").refusal,
            "no runtime of this worker can run the job: sandbox: user namespaces are forbidden");
}

TEST(RuntimeChoice, IsNoProcessForRootUnlessAskedFor) {
  const Machine machine = without_sandbox();
  EXPECT_THAT(machine.choice("", true).refusal,
              AllOf(HasSubstr("user namespaces are forbidden"), HasSubstr("PLZ_RUNTIME=process")));
  EXPECT_EQ(machine.name("process", true), "process");
}

TEST(RuntimeChoice, WaitsForASandboxThatMayComeBack) {
  Machine machine = without_sandbox();
  machine.sandbox.may_come_back = true;
  for (bool is_root : {false, true}) {
    EXPECT_EQ(machine.name("", is_root), "sandbox");
    EXPECT_EQ(machine.name("sandbox", is_root), "sandbox");
    EXPECT_EQ(machine.name("process", is_root), "process");
  }
}

TEST(RuntimeChoice, SaysWhatIsNotThere) {
  Machine machine;
  machine.docker = {.name = "docker", .available = false, .detail = "no engine answers"};
  EXPECT_THAT(machine.choice("", false, "debian:12").refusal, HasSubstr("docker: no engine answers"));
  ExecutionSpec spec;
  spec.runtime = "process";
  EXPECT_THAT(choose_runtime(spec, {machine.sandbox}, false).refusal, HasSubstr("it has no process"));
}

}  // namespace
}  // namespace plz
