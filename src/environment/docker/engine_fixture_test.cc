#include "environment/docker/engine_fixture_test.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "base/uuid.h"
#include "engine/missing_engine_test.h"
#include "os/process.h"

namespace plz::testing_environment {
namespace {

std::optional<std::string> variable(const char* name) {
  const char* value = getenv(name);
  return value ? std::optional<std::string>(value) : std::nullopt;
}

sockaddr_in local(uint16_t port) {
  sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

uint16_t free_port() {
  UniqueFd socket_fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = local(0);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(socket_fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(socket_fd.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  return ntohs(address.sin_port);
}

bool answers(uint16_t port) {
  UniqueFd socket_fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = local(port);
  return connect(socket_fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

// bcrypt of "open sesame".
constexpr const char* kPasswords = "ada:$2b$04$in56Ih3h8rlxoT2uAQxpUOf3.KRQiESAPf9CzmvUrNh/gJh4RbqX6\n";

}  // namespace

size_t Said::count(const std::string& words) const {
  std::lock_guard lock(mutex_);
  return std::count_if(lines_.begin(), lines_.end(), [&](const auto& line) { return line.find(words) != line.npos; });
}

std::string Said::all() const {
  std::lock_guard lock(mutex_);
  std::string text;
  for (const auto& line : lines_) text += line + "\n";
  return text;
}

std::optional<EngineSettings> EngineTest::engine_settings() {
  auto settings = find_engine(variable);
  EXPECT_TRUE(settings) << settings.error().message;
  return settings ? std::optional(*settings) : std::nullopt;
}

void EngineTest::SetUp() {
  auto settings = engine_settings();
  if (!settings) return;
  engine_ = std::make_unique<EngineClient>(*settings);
  if (auto version = engine_->version(); !version) PLZ_SKIP_FOR_WANT_OF("Docker engine: " + version.error().message);
  auto base = engine_->inspect_image(kBase);
  if (!base || !*base) PLZ_SKIP_FOR_WANT_OF(std::string("image ") + kBase + ": scripts/make-base-image makes it");
  token_ = Uuid::make_v7(SystemClock()).to_string();
  environments_ = worker();
}

void EngineTest::TearDown() {
  if (token_.empty()) return;
  for (const std::string& tag : tags_) EXPECT_TRUE(engine_->remove_image(tag, true));
  // Those that others stand on go after them.
  for (int round = 0; round < 5 && !built().empty(); ++round)
    for (const std::string& id : built()) static_cast<void>(engine_->remove_image(id, true));
  EXPECT_EQ(built().size(), 0u);
  EXPECT_EQ(containers(), 0u);
}

std::string EngineTest::tag(const std::string& image, const std::string& name) {
  EXPECT_TRUE(engine_->tag_image(image, name, token_));
  tags_.push_back(name + ":" + token_);
  return tags_.back();
}

std::vector<std::string> EngineTest::built() {
  std::vector<std::string> ids;
  auto images = engine_->list_images({{"plz.test", token_}});
  EXPECT_TRUE(images);
  if (images)
    for (const auto& image : *images) ids.push_back(image.id);
  return ids;
}

size_t EngineTest::containers() { return engine_->list_containers({{"plz.test", token_}}).value().size(); }

std::unique_ptr<DockerEnvironments> EngineTest::worker(EnvironmentSettings settings) {
  if (settings.directory.empty()) settings.directory = state_.path() + "/worker-" + std::to_string(workers_++);
  settings.pauses = {std::chrono::milliseconds(10), std::chrono::milliseconds(20)};
  return std::make_unique<DockerEnvironments>(*engine_, settings, login_, clock_);
}

EnvironmentRequest EngineTest::extended(std::vector<std::string> lines, const std::string& image) const {
  lines.insert(lines.begin(), mark());
  return request({.image = image, .image_extensions = std::move(lines)});
}

EnvironmentRequest EngineTest::dockerfile(const std::string& text) {
  code_.write("plz.Dockerfile", text);
  return request({.dockerfile = true});
}

ImageIdentity EngineTest::ensured(const EnvironmentRequest& request, Environments* by) {
  auto ready = (by ? *by : *environments_).ensure(request, said_.say(), {});
  EXPECT_TRUE(ready) << ready.error().message << "\n" << said_.all();
  return ready ? ready->image : ImageIdentity();
}

Error EngineTest::refused(const EnvironmentRequest& request, Environments* by) {
  auto ready = (by ? *by : *environments_).ensure(request, said_.say(), {});
  EXPECT_FALSE(ready) << said_.all();
  return ready ? Error() : ready.error();
}

void RegistryTest::SetUp() {
  EngineTest::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  auto program = find_program("docker-registry", "/usr/bin:/usr/local/bin");
  if (!program) PLZ_SKIP_FOR_WANT_OF("registry: apt-get install docker-registry");
  // Somebody else may have taken the port meanwhile: then another.
  for (int tries = 0; tries < 5 && registry_ < 0; ++tries) start_registry(*program);
  ASSERT_GT(registry_, 0);
  login_.known[server_] = ada();
}

void RegistryTest::start_registry(const std::string& program) {
  const uint16_t port = free_port();
  server_ = "127.0.0.1:" + std::to_string(port);
  storage_.write("htpasswd", kPasswords);
  storage_.write("config.yml",
                 "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: "
                 "{rootdirectory: " +
                     storage_.path() + "/data}}\nhttp: {addr: \"" + server_ +
                     "\"}\nauth: {htpasswd: {realm: plz, path: " + storage_.path() + "/htpasswd}}\n");
  auto started = spawn({.program = program,
                        .arguments = {"docker-registry", "serve", storage_.path() + "/config.yml"},
                        .environment = {"OTEL_TRACES_EXPORTER=none"}});
  ASSERT_TRUE(started);
  for (int i = 0; i < 1800; ++i) {
    if (reap(*started)) return;
    if (answers(port)) {
      registry_ = *started;
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  kill(*started, SIGKILL);
}

void RegistryTest::TearDown() {
  if (registry_ > 0) {
    kill(registry_, SIGKILL);
    auto process = open_process(registry_);
    if (process && *process) static_cast<void>(wait_readable((*process)->get(), -1, std::chrono::seconds(20)));
    reap(registry_);
  }
  EngineTest::TearDown();
}

void RegistryTest::forget(const std::string& image_id) {
  auto image = engine().inspect_image(image_id);
  ASSERT_TRUE(image && *image);
  ASSERT_TRUE(engine().remove_image(image_id, true));
  auto gone = engine().inspect_image(image_id);
  ASSERT_TRUE(gone);
  ASSERT_FALSE(*gone);
}

}  // namespace plz::testing_environment
