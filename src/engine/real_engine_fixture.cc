#include "engine/real_engine_fixture.h"

#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/server_fixture.h"

namespace plz::testing_engine {
namespace {

using testing_net::eventually;

// Podman's service as root, with a store of its own. What it needs where crun or systemd fail is in its
// configuration: runc, and cgroups without systemd.
class PodmanService {
 public:
  static PodmanService* get() {
    if (!instance_) instance_ = new PodmanService;
    return instance_;
  }
  static void end() {
    delete instance_;
    instance_ = nullptr;
  }
  std::string socket() const { return directory_ + "/socket"; }

 private:
  PodmanService() {
    std::string pattern = "/tmp/plz-podman-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    std::ofstream(directory_ + "/containers.conf")
        << "[engine]\nruntime=\"runc\"\ncgroup_manager=\"cgroupfs\"\nevents_logger=\"file\"\n"
           "[containers]\ndefault_ulimits=[\"nofile=1024:1024\",\"nproc=4096:4096\"]\n";
    process_ = run({"system", "service", "--time", "300", "unix://" + socket()});
    EXPECT_TRUE(eventually([&] { return access(socket().c_str(), F_OK) == 0; }));
  }
  ~PodmanService() {
    kill(process_, SIGTERM);
    waitpid(process_, nullptr, 0);
    waitpid(run({"system", "reset", "--force"}), nullptr, 0);
    static_cast<void>(system(("rm -rf " + directory_).c_str()));
  }
  pid_t run(std::vector<std::string> arguments) const {
    std::vector<std::string> all = {"podman", "--root", directory_ + "/root", "--runroot", directory_ + "/run"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& one : all) argv.push_back(one.data());
    argv.push_back(nullptr);
    pid_t process = fork();
    if (process != 0) return process;
    setenv("CONTAINERS_CONF", (directory_ + "/containers.conf").c_str(), 1);
    int log = open((directory_ + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(log, 1);
    dup2(log, 2);
    execvp("podman", argv.data());
    _exit(127);
  }

  static inline PodmanService* instance_ = nullptr;
  std::string directory_;
  pid_t process_ = 0;
};

bool has_podman() {
  return geteuid() == 0 && access("/usr/bin/podman", X_OK) == 0 && access("/usr/sbin/runc", X_OK) == 0;
}

Result<EngineSettings> settings_of(const std::string& engine) {
  if (engine == "docker")
    return find_engine([](const char* name) -> std::optional<std::string> {
      const char* value = getenv(name);
      return value ? std::optional<std::string>(value) : std::nullopt;
    });
  if (!has_podman()) return fail(ErrorCode::unavailable, "podman and runc are not installed, or this is not root");
  return EngineSettings{{.kind = Endpoint::Kind::unix_socket, .path = PodmanService::get()->socket()}, "this test"};
}

std::string file_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
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

void RealEngineTest::SetUp() {
  auto settings = settings_of(GetParam());
  ASSERT_TRUE(settings || settings.error().code == ErrorCode::unavailable) << settings.error().message;
  Result<EngineVersion> version = fail(ErrorCode::unavailable, settings ? "" : settings.error().message);
  if (settings) {
    engine_ = std::make_unique<EngineClient>(*settings);
    version = engine_->version();
  }
  if (!version) GTEST_SKIP() << "SKIPPED, no " << GetParam() << " to test with: " << version.error().message;
}

void RealEngineTest::TearDown() {
  for (const std::string& name : containers_) EXPECT_TRUE(engine_->remove_container(name));
}

void RealEngineTest::TearDownTestSuite() {
  PodmanService::end();
  auto docker = settings_of("docker");
  if (docker && built_images().contains("docker")) {
    EXPECT_TRUE(EngineClient(*docker).remove_image(built_images()["docker"], /*force=*/true));
  }
  built_images().clear();
}

const std::string& RealEngineTest::image() {
  std::string& id = built_images()[GetParam()];
  if (!id.empty()) return id;
  std::string archive =
      tar_of({{"Dockerfile", "FROM scratch\nCOPY program /program\nENTRYPOINT [\"/program\"]\nENV A=b\n"},
              {"program", file_bytes(PLZ_ENGINE_TEST_PROGRAM)}});
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
