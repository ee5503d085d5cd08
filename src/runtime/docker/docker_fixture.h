// For tests of containers: the engine that is there, an image to run, and what must not be left.
#pragma once

#include <string>

#include "runtime/docker/docker_runtime.h"
#include "runtime/runtime_contract_test.h"

namespace plz {

inline constexpr char kTestController[] = "runtime-test";

// Where DOCKER_HOST or the default socket says; `socket`: there instead.
Result<EngineSettings> test_engine(const std::string& socket = "");
RuntimeKind docker_kind(const std::string& socket = "");
// Podman's service, started for the test.
RuntimeKind podman_kind();

class DockerTest : public RuntimeContract {
 protected:
  void SetUp() override;
  void TearDown() override;
  EngineClient& engine() { return *engine_; }
  std::string image() const { return GetParam().image; }
  // From a Dockerfile alone. The image is removed at the end.
  std::string build(const std::string& dockerfile);
  // The same attempt once more, with a directory and ids of its own.
  LaunchSpec again(const LaunchSpec& spec);

 private:
  std::unique_ptr<EngineClient> engine_;
  std::vector<std::string> built_;
};

}  // namespace plz
