#include "engine/real_engine_fixture.h"

#include <cstring>
#include <fstream>
#include <sstream>

#include <fmt/core.h>
#include <unistd.h>

#include "engine/missing_engine_test.h"
#include "engine/podman_service.h"

namespace plz::testing_engine {
namespace {

Result<EngineSettings> settings_of(const std::string& engine) {
  if (engine == "docker")
    return find_engine([](const char* name) -> std::optional<std::string> {
      const char* value = getenv(name);
      return value ? std::optional<std::string>(value) : std::nullopt;
    });
  if (std::string why = PodmanService::obstacle(); !why.empty()) return fail(ErrorCode::unavailable, why);
  return EngineSettings{{.kind = Endpoint::Kind::unix_socket, .path = PodmanService::get().socket()}, "this test"};
}

std::map<std::string, std::string>& built_images() {
  static std::map<std::string, std::string> images;
  return images;
}

}  // namespace

std::string tar_of(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string archive;
  for (const auto& [name, content] : files) {
    char head[512] = {};
    strncpy(head, name.c_str(), 99);
    memcpy(head + 100, "0000755", 8);
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
    archive.append(head, sizeof head);
    archive += content;
    archive.append((512 - content.size() % 512) % 512, '\0');
  }
  return archive.append(1024, '\0');
}

TarSource source_of(std::string archive) {
  return [archive = std::move(archive), done = size_t{0}](char* buffer, size_t size) mutable -> Result<size_t> {
    size_t n = std::min(size, archive.size() - done);
    memcpy(buffer, archive.data() + done, n);
    done += n;
    return n;
  };
}

std::string test_program() {
  std::ifstream file(PLZ_ENGINE_TEST_PROGRAM, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

void RealEngineTest::SetUp() {
  auto settings = settings_of(GetParam());
  ASSERT_TRUE(settings || settings.error().code == ErrorCode::unavailable) << settings.error().message;
  Result<EngineVersion> version = fail(ErrorCode::unavailable, settings ? "" : settings.error().message);
  if (settings) {
    engine_ = std::make_unique<EngineClient>(*settings);
    version = engine_->version();
  }
  if (version) return;
  const std::string missing = GetParam() + std::string(" to test with: ") + version.error().message;
  if (GetParam() != std::string("docker")) GTEST_SKIP() << "SKIPPED, no " << missing;
  PLZ_SKIP_FOR_WANT_OF(missing);
}

void RealEngineTest::TearDown() {
  for (const std::string& name : containers_) EXPECT_TRUE(engine_->remove_container(name));
}

void RealEngineTest::TearDownTestSuite() {
  auto docker = settings_of("docker");
  if (docker && built_images().contains("docker")) {
    EXPECT_TRUE(EngineClient(*docker).remove_image(built_images()["docker"], /*force=*/true));
  }
  built_images().clear();
}

const std::string& RealEngineTest::image() {
  std::string& id = built_images()[GetParam()];
  if (!id.empty()) return id;
  // Each process has an image of its own: what one removes, another may be building on.
  std::string archive = tar_of({{"Dockerfile", fmt::format("FROM scratch\nLABEL process={}\nCOPY program /program\n"
                                                           "ENTRYPOINT [\"/program\"]\nENV A=b\n",
                                                           getpid())},
                                {"program", test_program()}});
  auto built = engine_->build_image({.tags = {fmt::format("plz-engine-test:{}", getpid())}}, source_of(archive),
                                    [](std::string_view) {}, {});
  EXPECT_TRUE(built) << built.error().message;
  if (built) id = *built;
  return id;
}

std::string RealEngineTest::container_name() {
  static int count = 0;
  containers_.push_back(fmt::format("plz-engine-test-{}-{}", getpid(), ++count));
  return containers_.back();
}

std::string RealEngineTest::create(const std::string& arguments_json, const std::string& more_json) {
  std::string name = container_name();
  auto created = engine().create_container(
      name, {fmt::format(R"({{"Image":"{}","Cmd":{}{}}})", image(), arguments_json, more_json)});
  EXPECT_TRUE(created) << created.error().message;
  return created ? *created : name;
}

}  // namespace plz::testing_engine
