// The real engine for tests of environments, and a real registry beside it.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "environment/docker/docker_environments.h"
#include "os/temporary_directory_test.h"

namespace plz::testing_environment {

inline constexpr const char* kBase = "plz-test/base";

// Fixed credentials; anonymous for other servers. Thread-safe once it is filled.
class FixedLogin final : public RegistryLogin {
 public:
  std::map<std::string, RegistryCredentials> known;
  Result<RegistryCredentials> credentials_for(const std::string& server) override {
    auto found = known.find(server);
    return found == known.end() ? RegistryCredentials{.server = server} : found->second;
  }
};

// What was said, by any thread.
class Said {
 public:
  Say say() {
    return [this](std::string_view line) {
      std::lock_guard lock(mutex_);
      lines_.emplace_back(line);
    };
  }
  bool has(const std::string& words) const { return count(words) > 0; }
  size_t count(const std::string& words) const;
  std::string all() const;
  void clear() { lines_.clear(); }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

// Skips, and says so, without an engine or without plz-test/base. Everything that a test builds carries its token as
// a label, and is removed.
class EngineTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;
  // The engine to use; nullopt: none, and the test is skipped.
  virtual std::optional<EngineSettings> engine_settings();

  EngineClient& engine() { return *engine_; }
  const std::string& token() const { return token_; }
  // "LABEL plz.test=TOKEN": what comes after it is built by this test alone, and is found again.
  std::string mark() const { return "LABEL plz.test=" + token_; }
  // A tag that is removed at the end.
  std::string tag(const std::string& image, const std::string& name);
  // The images built under the mark, by id; of those on the way only the last.
  std::vector<std::string> built();
  size_t containers();

  // Another call is another worker.
  std::unique_ptr<DockerEnvironments> worker(EnvironmentSettings settings = {});
  DockerEnvironments& environments() { return *environments_; }
  EnvironmentRequest request(EnvironmentRecipe recipe) const {
    return {.recipe = std::move(recipe), .code_directory = code_.path()};
  }
  EnvironmentRequest extended(std::vector<std::string> lines, const std::string& image = kBase) const;
  EnvironmentRequest dockerfile(const std::string& text);  // writes it too
  // Also a failure of the test, unless it succeeds.
  ImageIdentity ensured(const EnvironmentRequest& request, Environments* by = nullptr);
  Error refused(const EnvironmentRequest& request, Environments* by = nullptr);

  TemporaryDirectory code_, state_;
  FakeClock clock_;
  FixedLogin login_;
  Said said_;

 private:
  std::unique_ptr<EngineClient> engine_;
  std::unique_ptr<DockerEnvironments> environments_;
  std::string token_;
  std::vector<std::string> tags_;
  int workers_ = 0;
};

// Debian's docker-registry on a port of this machine, with the user ada and the password "open sesame".
class RegistryTest : public EngineTest {
 protected:
  void SetUp() override;
  void TearDown() override;

  const std::string& server() const { return server_; }  // "127.0.0.1:12345"
  RegistryCredentials ada(const std::string& password = "open sesame") const {
    return {.server = server_, .username = "ada", .password = password};
  }
  // Removes every name that an image has here, and the image.
  void forget(const std::string& image_id);

 private:
  void start_registry(const std::string& program);  // registry_ stays as it was where it does not live
  TemporaryDirectory storage_;
  std::string server_;
  pid_t registry_ = -1;
};

}  // namespace plz::testing_environment
