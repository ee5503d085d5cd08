#include "environment/login/docker_config_login.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "environment/login/docker_config.h"
#include "os/file.h"
#include "os/process.h"

namespace plz {
namespace {

struct HelperAnswer {
  int status = 0;
  std::string text;
};

std::string path_of(const std::vector<std::string>& environment) {
  for (const std::string& variable : environment)
    if (variable.starts_with("PATH=")) return variable.substr(5);
  return "/usr/local/bin:/usr/bin:/bin";
}

// Reads until the other end closes, kills the program when the time is over, and reaps it.
Result<HelperAnswer> await_answer(pid_t pid, const UniqueFd& out, std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  HelperAnswer answer;
  bool in_time = true;
  for (;;) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    auto ready = wait_readable(out.get(), -1, std::max(left, std::chrono::milliseconds(0)));
    in_time = ready && *ready && answer.text.size() < (1u << 20);
    if (!in_time) break;
    char buffer[4096];
    ssize_t size = read(out.get(), buffer, sizeof buffer);
    if (size <= 0) break;
    answer.text.append(buffer, static_cast<size_t>(size));
  }
  if (!in_time) kill(pid, SIGKILL);
  PLZ_ASSIGN(auto process, open_process(pid));
  if (process) PLZ_TRY(wait_readable(process->get(), -1, std::chrono::milliseconds(-1)));
  auto exit = reap(pid);
  if (!in_time) return fail(ErrorCode::unavailable, "it does not answer");
  answer.status = exit ? exit->status : 0;
  return answer;
}

Result<HelperAnswer> run_helper(const std::string& program, const std::vector<std::string>& environment,
                                const std::string& question, std::chrono::milliseconds patience) {
  PLZ_ASSIGN(PipeEnds in, make_pipe());
  PLZ_ASSIGN(PipeEnds out, make_pipe());
  // A pipe holds it: the program need not read.
  PLZ_TRY(write_all(in.in.get(), question));
  in.in.reset();
  PLZ_ASSIGN(pid_t pid, spawn({.program = program,
                               .arguments = {program, "get"},
                               .environment = environment,
                               .stdin_fd = in.out.get(),
                               .stdout_fd = out.in.get()}));
  out.in.reset();
  return await_answer(pid, out.out, patience);
}

}  // namespace

DockerConfigLogin::DockerConfigLogin(std::string directory, std::vector<std::string> environment,
                                     std::chrono::milliseconds patience)
    : directory_(std::move(directory)), environment_(std::move(environment)), patience_(patience) {}

Result<RegistryCredentials> DockerConfigLogin::credentials_for(const std::string& server) {
  RegistryCredentials anonymous{.server = docker_config_key(server)};
  if (directory_.empty()) return anonymous;
  const std::string path = join_path(directory_, "config.json");
  PLZ_ASSIGN(auto text, read_file_if_exists(path));
  if (!text || trim(*text).empty()) return anonymous;
  auto config = parse_docker_config(*text);
  if (!config) return fail(std::move(config).error().with_context(path));
  if (std::string helper = config->helper_for(server); !helper.empty()) {
    auto credentials = ask_helper(helper, server);
    if (!credentials || !is_anonymous(*credentials)) return credentials;
  }
  auto known = config->auths.find(server);
  return known == config->auths.end() ? anonymous : known->second;
}

Result<RegistryCredentials> DockerConfigLogin::ask_helper(const std::string& helper, const std::string& server) const {
  const std::string name = "docker-credential-" + helper;
  auto program = helper.find('/') == helper.npos ? find_program(name, path_of(environment_)) : std::nullopt;
  if (!program)
    return fail(ErrorCode::invalid,
                join_path(directory_, "config.json") + " names " + printable(name) + ", which is not in PATH",
                "install it, or log in again with `docker login`");
  auto answer = run_helper(*program, environment_, docker_config_key(server) + "\n", patience_);
  if (!answer) return fail(std::move(answer).error().with_context(name));
  if (answer->status == 0) {
    auto credentials = parse_helper_answer(answer->text, server);
    if (!credentials) return fail(std::move(credentials).error().with_context(name));
    return credentials;
  }
  if (answer->text.find("credentials not found") != std::string::npos)
    return RegistryCredentials{.server = docker_config_key(server)};
  return fail(ErrorCode::unavailable, name + ": " + printable(trim(answer->text)));
}

}  // namespace plz
