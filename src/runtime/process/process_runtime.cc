#include "runtime/process/process_runtime.h"

#include <unistd.h>

#include <cerrno>

#include "init/contract.h"
#include "os/file.h"

namespace plz {
namespace {

Result<void> link_mount(const BindMount& mount, const std::string& run_directory) {
  if (mount.job_path == mount.host_path) return {};
  if (!mount.job_path.starts_with(run_directory + "/"))
    return fail(ErrorCode::invalid, "the runtime `process` cannot show " + mount.host_path + " at " + mount.job_path);
  if (symlink(mount.host_path.c_str(), mount.job_path.c_str()) == 0 || errno == EEXIST) return {};
  return fail_errno("cannot link " + mount.job_path);
}

}  // namespace

RuntimeFingerprint ProcessRuntime::fingerprint() {
  return {.name = "process",
          .available = true,
          .version = "1",
          .detail = "jobs are not boxed: they see and may change all that their user may"};
}

std::string ProcessRuntime::job_path(const AttemptPaths& paths, std::string_view which) const {
  std::string run = InitRunner::run_directory(paths);
  if (which == "code") return run + "/src";
  if (which == "output") return paths.output();
  if (which == "measures") return paths.measures();
  if (which == "configuration") return paths.configuration();
  return join_path(run, which);
}

WorkingCopy ProcessRuntime::working_copy(const AttemptPaths& paths) const { return {job_path(paths, "code")}; }

Result<void> ProcessRuntime::start(const LaunchSpec& spec) {
  std::string run = InitRunner::run_directory(spec.paths);
  PLZ_TRY(make_directories(run, 0700));
  for (const auto& mount : spec.mounts) PLZ_TRY(link_mount(mount, run));
  InitSpec init;
  init.launch = {init::kProgramPath, "inner"};
  init.command = spec.command;
  init.environment = spec.environment;
  init.attributes = spec.attributes;
  init.directory = job_path(spec.paths, "code");
  init.code_source = spec.code_tree;
  init.code_target = init.directory;
  return runner_.start(spec.paths, std::move(init), spec.resources.memory_bytes);
}

Result<AttemptPhase> ProcessRuntime::recover(const AttemptPaths& paths) { return runner_.recover(paths); }

Result<ExitReport> ProcessRuntime::wait(const AttemptPaths& paths, std::stop_token stop) {
  return runner_.wait(paths, std::move(stop));
}

Result<void> ProcessRuntime::stop(const AttemptPaths& paths, std::chrono::milliseconds grace) {
  return runner_.stop(paths, grace);
}

Result<void> ProcessRuntime::destroy(const AttemptPaths& paths) { return runner_.destroy(paths); }

}  // namespace plz
