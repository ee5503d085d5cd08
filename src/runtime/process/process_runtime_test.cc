#include "runtime/process/process_runtime.h"

#include "os/file.h"
#include "runtime/runtime_contract_test.h"

namespace plz {
namespace {

const RuntimeKind kProcess{"process",
                           [](const std::string&) { return std::make_unique<ProcessRuntime>(PLZ_INIT_PATH); }, false};
INSTANTIATE_TEST_SUITE_P(Process, RuntimeContract, testing::Values(kProcess), runtime_kind_name);

class ProcessRuntimeTest : public RuntimeContract {};
INSTANTIATE_TEST_SUITE_P(Process, ProcessRuntimeTest, testing::Values(kProcess), runtime_kind_name);

TEST_P(ProcessRuntimeTest, LinksTheInput) {
  ASSERT_TRUE(make_directories(directory_ + "/input"));
  ASSERT_TRUE(write_file_atomically(directory_ + "/input/data", "data", 0644, Sync::no));
  auto spec = spec_for("cat $INPUT/data; pwd");
  spec.environment.emplace_back("INPUT", job_path(spec, "input"));
  spec.mounts.push_back({directory_ + "/input", job_path(spec, "input"), false});
  EXPECT_EQ(run(spec).log, "data" + spec.paths.directory + "/run/src\n");
}

TEST_P(ProcessRuntimeTest, RefusesAMountElsewhere) {
  auto spec = spec_for("true");
  spec.mounts.push_back({directory_ + "/code", "/plz/input", false});
  EXPECT_EQ(runtime_->start(spec).error().code, ErrorCode::invalid);
}

}  // namespace
}  // namespace plz
