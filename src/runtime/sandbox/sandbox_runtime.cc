#include "runtime/sandbox/sandbox_runtime.h"

#include <unistd.h>

#include <cstdlib>

#include "init/contract.h"
#include "os/file.h"
#include "os/process.h"
#include "runtime/sandbox/sandbox_obstacle.h"

namespace plz {
namespace {

constexpr char kUsualPath[] = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

std::string find_bwrap(const SandboxSettings& settings) {
  std::string name = settings.bwrap_path.empty() ? "bwrap" : settings.bwrap_path;
  return find_program(name, settings.path.empty() ? kUsualPath : settings.path).value_or("");
}

}  // namespace

SandboxRuntime::SandboxRuntime(SandboxSettings settings)
    : settings_(std::move(settings)), bwrap_path_(find_bwrap(settings_)), runner_(settings_.plz_init_path) {}

std::string SandboxRuntime::job_path(const AttemptPaths&, std::string_view which) const {
  if (which == "code") return kSandboxCodePath;
  std::string name(which == "configuration" ? "configuration.json" : which);
  return join_path(kSandboxJobRoot, name);
}

Result<void> SandboxRuntime::start(const LaunchSpec& spec) {
  if (bwrap_path_.empty()) return fail(no_bubblewrap());
  std::string run_directory = InitRunner::run_directory(spec.paths);
  SandboxDirectories directories = sandbox_directories(run_directory);
  PLZ_TRY(make_sandbox_directories(directories));
  SandboxHost host;
  host.bwrap_path = bwrap_path_;
  host.is_root = geteuid() == 0;
  InitSpec init;
  init.own_pid_namespace = true;
  PLZ_ASSIGN(init.launch, sandbox_arguments(spec, host, run_directory));
  init.command = spec.command;
  init.environment = spec.environment;
  init.directory = kSandboxCodePath;
  init.code_source = spec.code_tree;
  init.code_target = directories.code;
  if (try_overlay_) {
    init.code_upper = directories.code_upper;
    init.code_work = directories.code_work;
  }
  return runner_.start(spec.paths, init);
}

Result<AttemptPhase> SandboxRuntime::recover(const AttemptPaths& paths) { return runner_.recover(paths); }

Result<ExitReport> SandboxRuntime::wait(const AttemptPaths& paths, std::stop_token stop) {
  PLZ_ASSIGN(auto records, runner_.wait(paths, std::move(stop)));
  return exit_report(records, std::nullopt);
}

Result<void> SandboxRuntime::stop(const AttemptPaths& paths, std::chrono::milliseconds grace) {
  return runner_.stop(paths, grace);
}

Result<void> SandboxRuntime::destroy(const AttemptPaths& paths) {
  return remove_tree(InitRunner::run_directory(paths));
}

RuntimeFingerprint SandboxRuntime::fingerprint() {
  std::lock_guard lock(mutex_);
  if (!fingerprint_) fingerprint_ = probe();
  return *fingerprint_;
}

RuntimeFingerprint SandboxRuntime::probe() {
  RuntimeFingerprint result{.name = "sandbox"};
  if (bwrap_path_.empty()) {
    result.detail = no_bubblewrap().message + ": " + no_bubblewrap().hint;
    return result;
  }
  result.version = bubblewrap_version(bwrap_path_);
  std::string base = settings_.probe_directory.empty() ? "/tmp" : settings_.probe_directory;
  std::string directory = join_path(base, "probe-XXXXXX");
  if (!mkdtemp(directory.data())) {
    result.detail = errno_error(errno, "cannot try the sandbox out in " + base).message;
    return result;
  }
  bool overlay = false;
  auto tried = run_probe(directory, overlay);
  auto removed = remove_tree(directory);
  result.available = tried.has_value();
  try_overlay_ = overlay;
  if (!tried) result.detail = tried.error().message + sandbox_obstacle();
  else if (!removed) result.detail = removed.error().message;
  else if (!overlay) result.detail = "no overlay can be mounted here: the code is copied for each run";
  return result;
}

Result<void> SandboxRuntime::run_probe(const std::string& directory, bool& overlay) {
  LaunchSpec spec;
  spec.paths.directory = directory;
  spec.code_tree = directory + "/code";
  spec.command = {"true"};
  spec.environment = {{"PATH", kUsualPath}};
  PLZ_TRY(make_directories(spec.code_tree));
  PLZ_TRY(start(spec));
  PLZ_ASSIGN(auto report, wait(spec.paths, {}));
  if (!report.outcome.succeeded()) return fail(ErrorCode::unavailable, report.outcome.reason);
  PLZ_ASSIGN(auto said, read_file(join_path(directory, init::kErrorFile)));
  overlay = said.find(init::kNoOverlayNote) == said.npos;
  return destroy(spec.paths);
}

}  // namespace plz
