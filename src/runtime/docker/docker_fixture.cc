#include "runtime/docker/docker_fixture.h"

#include <cstdlib>
#include <cstring>

#include <unistd.h>

#include "engine/podman_service.h"

namespace plz {
namespace {

constexpr char kUsualImage[] = "plz-test/base";

std::string test_image() {
  const char* chosen = getenv("PLZ_TEST_IMAGE");
  return chosen ? chosen : kUsualImage;
}

// Available only with an image to test with.
class TestedDocker final : public Runtime {
 public:
  explicit TestedDocker(Result<EngineSettings> engine)
      : engine_(std::move(engine)),
        runtime_({PLZ_INIT_PATH, kTestController, std::chrono::milliseconds(500)}, engine_) {}
  RuntimeFingerprint fingerprint() override {
    RuntimeFingerprint found = runtime_.fingerprint();
    if (found.available) {
      auto image = EngineClient(*engine_).inspect_image(test_image());
      found.available = image && *image;
      if (!found.available) found.detail = "there is no image " + test_image() + ": scripts/make-base-image makes it";
    }
    if (!found.available) found.detail = "SKIPPED, no container can be tested: " + found.detail;
    return found;
  }
  std::string job_path(const AttemptPaths& paths, std::string_view which) const override {
    return runtime_.job_path(paths, which);
  }
  WorkingCopy working_copy(const AttemptPaths& paths) const override { return runtime_.working_copy(paths); }
  Result<void> start(const LaunchSpec& spec) override { return runtime_.start(spec); }
  Result<AttemptPhase> recover(const AttemptPaths& paths) override { return runtime_.recover(paths); }
  Result<ExitReport> wait(const AttemptPaths& paths, std::stop_token stop) override {
    return runtime_.wait(paths, stop);
  }
  Result<void> stop(const AttemptPaths& paths, std::chrono::milliseconds grace) override {
    return runtime_.stop(paths, grace);
  }
  Result<void> destroy(const AttemptPaths& paths) override { return runtime_.destroy(paths); }

 private:
  Result<EngineSettings> engine_;
  DockerRuntime runtime_;
};

// Once for this process: starts the service.
std::string podman_obstacle() {
  if (std::string why = PodmanService::obstacle(); !why.empty()) return why;
  return PodmanService::get().load(test_image());
}

RuntimeKind container_kind(std::string name, std::function<Result<EngineSettings>()> engine) {
  RuntimeKind kind{std::move(name), [=](const std::string&) { return std::make_unique<TestedDocker>(engine()); }, true};
  kind.image = test_image();
  kind.has_outer_half = false;
  kind.sees_mounts = false;
  return kind;
}

std::string tar_with_dockerfile(const std::string& content) {
  char head[512] = {};
  strcpy(head, "Dockerfile");
  memcpy(head + 100, "0000644", 8);
  memcpy(head + 108, "0000000", 8);
  memcpy(head + 116, "0000000", 8);
  snprintf(head + 124, 12, "%011zo", content.size());
  memcpy(head + 136, "00000000000", 12);
  memset(head + 148, ' ', 8);
  head[156] = '0';
  memcpy(head + 257, "ustar\00000", 8);
  unsigned sum = 0;
  for (unsigned char byte : head) sum += byte;
  snprintf(head + 148, 8, "%06o", sum);
  std::string archive(head, sizeof head);
  archive += content;
  archive.append((512 - content.size() % 512) % 512 + 1024, '\0');
  return archive;
}

}  // namespace

Result<EngineSettings> test_engine(const std::string& socket) {
  if (!socket.empty()) return EngineSettings{{.kind = Endpoint::Kind::unix_socket, .path = socket}, "this test"};
  return find_engine([](const char* name) -> std::optional<std::string> {
    const char* value = getenv(name);
    return value ? std::optional<std::string>(value) : std::nullopt;
  });
}

RuntimeKind docker_kind(const std::string& socket) {
  return container_kind("docker", [socket] { return test_engine(socket); });
}

RuntimeKind podman_kind() {
  return container_kind("podman", []() -> Result<EngineSettings> {
    static const std::string why = podman_obstacle();
    if (!why.empty()) return fail(ErrorCode::unavailable, "SKIPPED, no podman: " + why);
    return test_engine(PodmanService::get().socket());
  });
}

void DockerTest::SetUp() {
  RuntimeContract::SetUp();
  if (!IsSkipped()) engine_ = std::make_unique<EngineClient>(*test_engine());
}

void DockerTest::TearDown() {
  RuntimeContract::TearDown();
  for (const std::string& image : built_) EXPECT_TRUE(engine_->remove_image(image, /*force=*/true));
}

std::string DockerTest::build(const std::string& dockerfile) {
  std::string archive = tar_with_dockerfile(dockerfile);
  size_t done = 0;
  auto built = engine_->build_image(
      {.no_cache = true},
      [&](char* buffer, size_t size) -> Result<size_t> {
        size_t n = std::min(size, archive.size() - done);
        memcpy(buffer, archive.data() + done, n);
        done += n;
        return n;
      },
      [](std::string_view) {}, {});
  EXPECT_TRUE(built) << built.error().message;
  if (built) built_.push_back(*built);
  return built.value_or("");
}

LaunchSpec DockerTest::again(const LaunchSpec& spec) {
  LaunchSpec next = spec_for("");
  next.image = spec.image;
  next.command = spec.command;
  next.environment = spec.environment;
  next.docker_run_args = spec.docker_run_args;
  return next;
}

}  // namespace plz
