#include "cli/ssh_forward.h"

#include <csignal>
#include <thread>
#include <vector>

#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/unix_connect.h"
#include "os/fd.h"

namespace plz {
namespace {

constexpr std::chrono::milliseconds kLookAgain{10};

std::vector<std::string> ssh_arguments(const SshForwardSettings& settings) {
  std::vector<std::string> arguments = {settings.program,
                                        "-N",
                                        "-o",
                                        "ExitOnForwardFailure=yes",
                                        "-o",
                                        "StreamLocalBindUnlink=yes",
                                        "-o",
                                        "StreamLocalBindMask=0177",
                                        "-o",
                                        "ServerAliveInterval=15"};
  if (!settings.private_key_path.empty()) arguments.insert(arguments.end(), {"-i", settings.private_key_path});
  if (!settings.username.empty()) arguments.insert(arguments.end(), {"-l", settings.username});
  arguments.insert(arguments.end(),
                   {"-L", fmt::format("{}:localhost:{}", settings.socket_path, settings.port), "--", settings.host});
  return arguments;
}

}  // namespace

SshForward::SshForward(SshForwardSettings settings) : settings_(std::move(settings)) {}

SshForward::~SshForward() { end(); }

Result<Endpoint> SshForward::find() {
  if (process_ != 0 && has_ended()) process_ = 0;
  if (process_ == 0) {
    PLZ_TRY(start());
    PLZ_TRY(wait_until_it_accepts());
  }
  Endpoint endpoint;
  endpoint.kind = Endpoint::Kind::unix_socket;
  endpoint.path = settings_.socket_path;
  return endpoint;
}

Result<void> SshForward::start() {
  unlink(settings_.socket_path.c_str());
  std::vector<std::string> arguments = ssh_arguments(settings_);
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return fail_errno("cannot start ssh");
  if (pid == 0) {
    // posix_spawn cannot ask for this: ssh must not outlive a plz that was killed.
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(127);
    signal(SIGPIPE, SIG_DFL);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    // What the shell has open is not for a master connection that outlives plz.
    closefrom(STDERR_FILENO + 1);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  process_ = pid;
  return {};
}

Result<void> SshForward::wait_until_it_accepts() {
  const auto deadline = std::chrono::steady_clock::now() + settings_.timeout;
  while (true) {
    PLZ_ASSIGN(const bool accepts, unix_socket_accepts(settings_.socket_path));
    if (accepts) return {};
    if (has_ended()) {
      process_ = 0;
      return fail(ErrorCode::unavailable, fmt::format("ssh could not reach {}", settings_.host),
                  "what ssh said stands above; try `ssh " + settings_.host + "` by hand");
    }
    if (std::chrono::steady_clock::now() > deadline) {
      end();
      return fail(ErrorCode::timeout, fmt::format("ssh did not reach {} in time", settings_.host),
                  "-t SECONDS gives it longer");
    }
    std::this_thread::sleep_for(kLookAgain);
  }
}

bool SshForward::has_ended() { return waitpid(process_, nullptr, WNOHANG) != 0; }

void SshForward::end() {
  if (process_ == 0) return;
  kill(process_, SIGTERM);
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
  process_ = 0;
  unlink(settings_.socket_path.c_str());
}

}  // namespace plz
