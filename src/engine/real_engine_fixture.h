// Real engines for tests: Docker's, where one answers, and Podman's service, started for the test.
#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "engine/engine_client.h"

namespace plz::testing_engine {

// A tar archive of files, for builds.
std::string tar_of(const std::vector<std::pair<std::string, std::string>>& files);
TarSource source_of(std::string archive);
// The bytes of a static program that exits, sleeps or speaks as its arguments say (test_program.cc).
std::string test_program();

// Runs over "docker" and "podman"; skips, and says so, where the engine is not there.
class RealEngineTest : public testing::TestWithParam<const char*> {
 protected:
  static void TearDownTestSuite();
  void SetUp() override;
  void TearDown() override;

  EngineClient& engine() { return *engine_; }
  // FROM scratch with the test program at /program, as its entrypoint. Built once.
  const std::string& image();
  // A name that no other test has; the container is removed at the end.
  std::string container_name();
  std::string create(const std::string& arguments_json, const std::string& more_json = "");

 private:
  std::unique_ptr<EngineClient> engine_;
  std::vector<std::string> containers_;
};

}  // namespace plz::testing_engine
