#include "engine/own_engine.h"

#include <chrono>
#include <cstdlib>
#include <thread>

#include <fcntl.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/engine_client.h"
#include "os/fd.h"
#include "os/file.h"

namespace plz {
namespace {

constexpr char kDockerd[] = "/usr/sbin/dockerd";
constexpr char kCleanUp[] = R"(
directory={}
for process in /proc/[0-9]*; do
  case $(readlink $process/cwd) in
    $directory/*) kill -9 $(cat $process/task/*/children) ${{process#/proc/}} 2>/dev/null ;;
  esac
done
awk -v d=$directory/ 'index($2, d) == 1 {{print $2}}' /proc/self/mounts | sort -r | while read -r mount; do umount -l "$mount"; done
rm -rf --one-file-system $directory
)";

}  // namespace

std::string OwnEngine::obstacle(const std::string& image) {
  if (geteuid() != 0) return "only root can start an engine";
  if (access(kDockerd, X_OK) != 0) return std::string("there is no ") + kDockerd;
  if (!image.empty() && system(fmt::format("docker image inspect {} >/dev/null 2>&1", image).c_str()) != 0)
    return fmt::format("the machine's engine has no image {}: scripts/make-base-image makes it", image);
  return "";
}

OwnEngine::OwnEngine(int disk_size) {
  std::string pattern = "/tmp/plz-engine-XXXXXX";
  EXPECT_NE(mkdtemp(pattern.data()), nullptr);
  directory_ = pattern;
  EXPECT_EQ(mkdir(data().c_str(), 0700), 0);
  if (disk_size > 0) {
    EXPECT_EQ(mount("tmpfs", data().c_str(), "tmpfs", 0, fmt::format("size={}m", disk_size).c_str()), 0);
  }
}

OwnEngine::~OwnEngine() {
  end(SIGTERM);
  // Where it did not get so far, its containers and their mounts are still there.
  EXPECT_EQ(system(fmt::format(kCleanUp, directory_).c_str()), 0);
}

bool OwnEngine::start() {
  EngineClient client({{.kind = Endpoint::Kind::unix_socket, .path = socket()}, "this test"});
  auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(200);
  spawn();
  while (!client.version()) {
    bool has_ended = waitpid(process_, nullptr, WNOHANG) == process_;
    if (has_ended) spawn();
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

void OwnEngine::listen_with_tls(const std::string& certificates) {
  tls_options_ = {"--host=tcp://127.0.0.1:2376", "--tlsverify", "--tlscacert=" + certificates + "/ca.pem",
                  "--tlscert=" + certificates + "/cert.pem", "--tlskey=" + certificates + "/key.pem"};
}

bool OwnEngine::enter_network() const {
  UniqueFd network(open(fmt::format("/proc/{}/ns/net", process_).c_str(), O_RDONLY | O_CLOEXEC));
  return setns(network.get(), CLONE_NEWNET) == 0;
}

void OwnEngine::spawn() {
  process_ = fork();
  if (process_ != 0) return;
  // With a network of its own: it would take the other engine's bridge for its own, and remove it.
  if (unshare(CLONE_NEWNET) != 0 || system("ip link set lo up") != 0) _exit(127);
  std::vector<std::string> options = {"dockerd",
                                      "--host=unix://" + socket(),
                                      "--data-root=" + data(),
                                      "--exec-root=" + directory_ + "/exec",
                                      "--pidfile=" + directory_ + "/pid",
                                      "--iptables=false"};
  options.insert(options.end(), tls_options_.begin(), tls_options_.end());
  std::vector<char*> argv;
  for (std::string& option : options) argv.push_back(option.data());
  argv.push_back(nullptr);
  int log = open((directory_ + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  dup2(log, 1);
  dup2(log, 2);
  execv(kDockerd, argv.data());
  _exit(127);
}

void OwnEngine::end(int signal) {
  if (process_ <= 0) return;
  kill(process_, signal);
  waitpid(process_, nullptr, 0);
  process_ = 0;
  if (signal == SIGKILL) end_containerd();
}

// It would end by itself, but later; and where nobody reaps it, the next engine takes it for alive and waits for it.
void OwnEngine::end_containerd() const {
  const std::string path = directory_ + "/exec/containerd/containerd.pid";
  auto pid = read_file(path);
  if (!pid) return;
  kill(std::stoi(*pid), SIGKILL);
  unlink(path.c_str());
}

bool OwnEngine::load(const std::string& image) {
  return system(("docker save " + image + " | docker -H unix://" + socket() + " load >/dev/null").c_str()) == 0;
}

int OwnEngine::docker(const std::string& words) const {
  return system(fmt::format("docker -H unix://{} {} >/dev/null 2>&1", socket(), words).c_str());
}

void OwnEngine::fill_disk(uint64_t left) const {
  struct statvfs disk = {};
  ASSERT_EQ(statvfs(data().c_str(), &disk), 0);
  const uint64_t free = disk.f_bavail * disk.f_frsize >> 20;
  ASSERT_GT(free, left);
  // For the last byte: until it is refused.
  const std::string count = left > 0 ? fmt::format("count={}", free - left) : "";
  const int status = system(fmt::format("dd if=/dev/zero bs=1M {} of={}/filling 2>/dev/null", count, data()).c_str());
  ASSERT_EQ(status != 0, left == 0);
}

void OwnEngine::free_disk() const { EXPECT_EQ(unlink((data() + "/filling").c_str()), 0); }

}  // namespace plz
