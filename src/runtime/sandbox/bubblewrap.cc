#include "runtime/sandbox/bubblewrap.h"

#include "base/text.h"
#include "init/contract.h"
#include "os/process.h"

namespace plz {
namespace {

constexpr std::chrono::seconds kVersionPatience{5};

// As plz-init limits root's job; see init/namespaces.cc.
constexpr const char* kRootCapabilities[] = {
    "CAP_CHOWN",  "CAP_DAC_OVERRIDE", "CAP_FOWNER",           "CAP_FSETID",  "CAP_KILL",    "CAP_SETGID",
    "CAP_SETUID", "CAP_SETPCAP",      "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SYS_CHROOT"};

void add(std::vector<std::string>& arguments, const BoxStep& step) {
  auto with_source = [&](const char* option) { arguments.insert(arguments.end(), {option, step.source, step.path}); };
  switch (step.kind) {
    case BoxStepKind::link: return with_source("--symlink");
    case BoxStepKind::read: return with_source("--ro-bind");
    case BoxStepKind::read_try: return with_source("--ro-bind-try");
    case BoxStepKind::write: return with_source("--bind");
    case BoxStepKind::device: return with_source("--dev-bind-try");
    case BoxStepKind::proc: arguments.insert(arguments.end(), {"--proc", step.path}); return;
    case BoxStepKind::devices: arguments.insert(arguments.end(), {"--dev", step.path}); return;
    case BoxStepKind::hide:
      arguments.insert(arguments.end(), {"--tmpfs", step.path, "--remount-ro", step.path});
      return;
  }
}

}  // namespace

Error no_bubblewrap() {
  return {ErrorCode::unavailable, "bubblewrap (bwrap) was not found", "apt-get install bubblewrap"};
}

std::string bubblewrap_version(const std::string& bwrap_path) {
  auto pipe = make_pipe();
  if (!pipe) return "";
  SpawnOptions options;
  options.program = bwrap_path;
  options.arguments = {"bwrap", "--version"};
  options.stdout_fd = pipe->in.get();
  if (!run_process(options, kVersionPatience)) return "";
  pipe->in.reset();
  char text[128];
  auto size = read_up_to(pipe->out.get(), text, sizeof text);
  return size ? printable(trim(std::string_view(text, *size))) : "";
}

std::vector<std::string> bubblewrap_arguments(const std::string& bwrap_path, const std::vector<BoxStep>& steps,
                                              bool network, bool person_is_root) {
  std::vector<std::string> arguments = {bwrap_path, "--unshare-user", "--unshare-pid", "--as-pid-1"};
  if (!network) arguments.push_back("--unshare-net");
  if (person_is_root) {
    arguments.insert(arguments.end(), {"--cap-drop", "ALL"});
    for (const char* capability : kRootCapabilities) arguments.insert(arguments.end(), {"--cap-add", capability});
  }
  for (const auto& step : steps) add(arguments, step);
  arguments.insert(arguments.end(), {"--remount-ro", "/", "--", init::kProgramPath, "inner"});
  return arguments;
}

}  // namespace plz
