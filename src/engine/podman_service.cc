#include "engine/podman_service.h"

#include <cstdlib>
#include <fstream>
#include <memory>

#include <fcntl.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/engine_client.h"

namespace plz {

std::string PodmanService::obstacle() {
  if (geteuid() != 0) return "only root can have Podman's service here";
  for (const char* program : {"/usr/bin/podman", "/usr/sbin/runc"})
    if (access(program, X_OK) != 0) return std::string("there is no ") + program;
  return "";
}

PodmanService& PodmanService::get() {
  static std::unique_ptr<PodmanService> service(new PodmanService);
  return *service;
}

// What it needs where crun or systemd fail is in its configuration: runc, and cgroups without systemd. So is what
// --root and --runroot leave common to all on the machine.
PodmanService::PodmanService() : owner_(getpid()) {
  std::string pattern = "/tmp/plz-podman-XXXXXX";
  directory_ = mkdtemp(pattern.data());
  std::ofstream(directory_ + "/containers.conf")
      << "[engine]\nruntime=\"runc\"\ncgroup_manager=\"cgroupfs\"\nevents_logger=\"file\"\nlock_type=\"file\"\n"
      << "tmp_dir=\"" << directory_
      << "/tmp\"\n"
         "[containers]\ndefault_ulimits=[\"nofile=1024:1024\",\"nproc=4096:4096\"]\n";
  process_ = spawn({"system", "service", "--time", "0", "unix://" + socket()});
  EngineClient client({{.kind = Endpoint::Kind::unix_socket, .path = socket()}, "this test"});
  bool answers = false;
  for (int i = 0; i < 900 && !answers; ++i) {
    answers = client.ping().has_value();
    if (!answers) usleep(100'000);
  }
  EXPECT_TRUE(answers) << "the end of " << directory_ << "/log may say why";
}

PodmanService::~PodmanService() {
  if (getpid() != owner_) return;
  kill(process_, SIGTERM);
  waitpid(process_, nullptr, 0);
  waitpid(spawn({"system", "reset", "--force"}), nullptr, 0);
  static_cast<void>(system(("rm -rf " + directory_).c_str()));
}

std::string PodmanService::load(const std::string& image) {
  if (!shell("docker save " + image + " | $podman load -q")) return "the machine's engine has no image " + image;
  if (!shell("$podman run --rm --network none " + image + " true")) return "Podman can run no container here";
  return "";
}

bool PodmanService::shell(const std::string& script) const {
  const std::string setting = fmt::format(
      "export CONTAINERS_CONF={0}/containers.conf; podman='podman --root {0}/root --runroot {0}/run'; ", directory_);
  return system(fmt::format("({}{}) >>{}/log 2>&1", setting, script, directory_).c_str()) == 0;
}

pid_t PodmanService::spawn(const std::vector<std::string>& arguments) const {
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
  // Its containers' monitors leave files where it runs.
  if (chdir(directory_.c_str()) != 0) _exit(127);
  execvp("podman", argv.data());
  _exit(127);
}

}  // namespace plz
