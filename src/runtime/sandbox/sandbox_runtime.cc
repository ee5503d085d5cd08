#include "runtime/sandbox/sandbox_runtime.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "init/contract.h"
#include "os/file.h"
#include "os/process.h"
#include "runtime/sandbox/bubblewrap.h"
#include "runtime/sandbox/sandbox_obstacle.h"

namespace plz {
namespace {

constexpr char kUsualPath[] = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

Result<std::string> find_bubblewrap(const SandboxSettings& settings) {
  std::string name = settings.bwrap_path.empty() ? "bwrap" : settings.bwrap_path;
  auto path = find_program(name, settings.path.empty() ? kUsualPath : settings.path);
  if (!path) return fail(no_bubblewrap());
  return *path;
}

std::string with_hint(const Error& error) {
  return error.hint.empty() ? error.message : error.message + " (" + error.hint + ")";
}

}  // namespace

std::string SandboxRuntime::job_path(const AttemptPaths&, std::string_view which) const {
  if (which == "code") return kSandboxCodePath;
  std::string name(which == "configuration" ? "configuration.json" : which);
  return join_path(kSandboxJobRoot, name);
}

// An overlay is mounted on the place of the copy where only the job sees it: there it stays empty on this side.
WorkingCopy SandboxRuntime::working_copy(const AttemptPaths& paths) const {
  const SandboxDirectories directories = sandbox_directories(InitRunner::run_directory(paths));
  const auto copied = list_directory(directories.code);
  if (copied && !copied->empty()) return {directories.code};
  return {directories.code_upper, true};
}

Result<InitSpec> SandboxRuntime::init_spec(const LaunchSpec& spec, const Way& way) {
  SandboxDirectories directories = sandbox_directories(InitRunner::run_directory(spec.paths));
  PLZ_TRY(make_sandbox_directories(directories));
  InitSpec init;
  PLZ_ASSIGN(init.box_steps, plan_sandbox(spec, SandboxHost(), directories));
  if (way.maker == SandboxMaker::plz_init) {
    init.mode = InitMode::box;
    init.box_root = directories.root;
    init.box_network = spec.network;
  } else {
    init.mode = InitMode::program;
    init.launch = bubblewrap_arguments(way.bwrap_path, init.box_steps, spec.network, geteuid() == 0);
  }
  init.command = spec.command;
  init.environment = spec.environment;
  init.attributes = spec.attributes;
  init.directory = kSandboxCodePath;
  init.code_source = spec.code_tree;
  init.code_target = directories.code;
  if (way.overlay) {
    init.code_upper = directories.code_upper;
    init.code_work = directories.code_work;
  }
  return init;
}

Result<void> SandboxRuntime::start(const LaunchSpec& spec) {
  const Probed known = probed();
  if (!known.fingerprint.available) return fail(ErrorCode::unavailable, known.fingerprint.detail);
  PLZ_ASSIGN(InitSpec init, init_spec(spec, known.way));
  return runner_.start(spec.paths, std::move(init), spec.resources.memory_bytes);
}

Result<AttemptPhase> SandboxRuntime::recover(const AttemptPaths& paths) { return runner_.recover(paths); }

Result<ExitReport> SandboxRuntime::wait(const AttemptPaths& paths, std::stop_token stop) {
  return runner_.wait(paths, std::move(stop));
}

Result<void> SandboxRuntime::stop(const AttemptPaths& paths, std::chrono::milliseconds grace) {
  return runner_.stop(paths, grace);
}

Result<void> SandboxRuntime::destroy(const AttemptPaths& paths) { return runner_.destroy(paths); }

RuntimeFingerprint SandboxRuntime::fingerprint() { return probed().fingerprint; }

// What failed may have failed for the moment only; where it fails for good, not every job is to pay for that.
SandboxRuntime::Probed SandboxRuntime::probed() {
  std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  const bool may_come_back = probed_ && probed_->fingerprint.may_come_back;
  const auto pause = may_come_back ? settings_.look_soon : settings_.look_again;
  if (!probed_ || (!probed_->fingerprint.available && now - probed_at_ >= std::min(pause, settings_.look_again))) {
    probed_ = probe();
    probed_at_ = now;
  }
  return *probed_;
}

SandboxRuntime::Probed SandboxRuntime::probe() {
  Probed result{.fingerprint = {.name = "sandbox"}};
  std::string refusals;
  bool all_refuse = true;
  for (auto maker : {SandboxMaker::plz_init, SandboxMaker::bubblewrap}) {
    if (settings_.maker.value_or(maker) != maker) continue;
    auto way = try_out(maker);
    if (!way) {
      refusals += (refusals.empty() ? "" : "; ") + with_hint(way.error());
      const bool is_missing = maker == SandboxMaker::bubblewrap && way.error().message == no_bubblewrap().message;
      all_refuse = all_refuse && (is_missing || is_refusal_of_sandbox(way.error().message));
      continue;
    }
    result.way = *way;
    result.fingerprint.available = true;
    result.fingerprint.version = maker == SandboxMaker::plz_init ? "plz-init" : bubblewrap_version(way->bwrap_path);
    if (!way->overlay) result.fingerprint.detail = "no overlay can be mounted here: the code is copied for each run";
    return result;
  }
  std::string obstacle = sandbox_obstacle();
  result.fingerprint.may_come_back = !all_refuse && obstacle.find("max_user_namespaces is 0") == obstacle.npos;
  result.fingerprint.detail = "no sandbox can be made: " + (obstacle.empty() ? refusals : obstacle + "; " + refusals);
  return result;
}

Result<SandboxRuntime::Way> SandboxRuntime::try_out(SandboxMaker maker) {
  Way way{.maker = maker, .overlay = maker == SandboxMaker::plz_init};
  if (maker == SandboxMaker::bubblewrap) {
    PLZ_ASSIGN(way.bwrap_path, find_bubblewrap(settings_));
  }
  std::string directory =
      join_path(settings_.probe_directory.empty() ? "/tmp" : settings_.probe_directory, "probe-XXXXXX");
  if (!mkdtemp(directory.data())) return fail_errno("cannot try the sandbox out in " + parent_path(directory));
  auto tried = try_out_in(directory, way);
  auto removed = remove_tree(directory);
  PLZ_TRY(tried);
  PLZ_TRY(removed);
  return way;
}

Result<void> SandboxRuntime::try_out_in(const std::string& directory, Way& way) {
  LaunchSpec spec;
  spec.paths.directory = directory;
  spec.code_tree = directory + "/code";
  spec.command = {"true"};
  spec.environment = {{"PATH", kUsualPath}};
  PLZ_TRY(make_directories(spec.code_tree));
  PLZ_ASSIGN(InitSpec init, init_spec(spec, way));
  PLZ_TRY(runner_.start(spec.paths, std::move(init), 0));
  PLZ_ASSIGN(auto report, wait(spec.paths, {}));
  if (!report.outcome.succeeded()) return fail(ErrorCode::unavailable, report.outcome.reason);
  PLZ_ASSIGN(auto said, read_file(join_path(directory, init::kErrorFile)));
  if (said.find(init::kNoOverlayNote) != said.npos) way.overlay = false;
  return {};
}

}  // namespace plz
