#include "runtime/sandbox/sandbox_layout.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>

#include "os/file.h"
#include "runtime/sandbox/path_covers.h"

namespace plz {
namespace {

using Steps = std::vector<BoxStep>;

// nullopt: there is no such file.
std::optional<std::string> resolved(const std::string& path) {
  char buffer[PATH_MAX];
  if (!realpath(path.c_str(), buffer)) return std::nullopt;
  return std::string(buffer);
}

bool is_directory(const std::string& path) {
  struct stat st;
  return stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

// Made anew in every sandbox, or plz's own.
bool is_made_anew(const std::string& name) {
  static constexpr std::string_view kNames[] = {"proc", "dev", "tmp", "src", "plz", "lost+found"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

Result<void> add_root(Steps& steps, const SandboxHost& host) {
  PLZ_ASSIGN(auto names, list_directory(host.root));
  for (const auto& name : names) {
    if (is_made_anew(name)) continue;
    std::string path = join_path(host.root, name);
    char target[PATH_MAX];
    ssize_t n = readlink(path.c_str(), target, sizeof target);
    if (n >= 0) steps.push_back({BoxStepKind::link, "/" + name, std::string(target, static_cast<size_t>(n))});
    else steps.push_back({BoxStepKind::read_try, "/" + name, path});
  }
  return {};
}

bool is_accelerator(const std::string& name) {
  return name.starts_with("nvidia") || name.starts_with("accel") || name == "dri" || name == "kfd" || name == "dxg";
}

void add_devices(Steps& steps, const SandboxHost& host) {
  steps.push_back({BoxStepKind::devices, "/dev", ""});
  auto names = list_directory(host.devices);
  if (!names) return;  // a sandbox without GPUs is still one
  for (const auto& name : *names)
    if (is_accelerator(name)) steps.push_back({BoxStepKind::device, "/dev/" + name, join_path(host.devices, name)});
}

std::string variable(const EnvironmentVariables& environment, std::string_view name) {
  auto at =
      std::find_if(environment.begin(), environment.end(), [&](const auto& entry) { return entry.first == name; });
  return at == environment.end() ? "" : at->second;
}

// Where the job will look for its cache: "" when that is not there to be mounted on.
std::string cache_path(const EnvironmentVariables& environment) {
  std::string path = variable(environment, "XDG_CACHE_HOME");
  std::string home = variable(environment, "HOME");
  if (path.empty() && home.starts_with('/') && is_directory(home)) {
    path = join_path(home, ".cache");
    mkdir(path.c_str(), 0700);
  }
  auto real = path.starts_with('/') && is_directory(path) ? resolved(path) : std::nullopt;
  return real.value_or("");
}

// A path that is reached through links is shown under both its names: the link may be covered itself.
void show(std::vector<PathCover>& covers, const std::string& path) {
  auto real = resolved(path);
  if (!real) return;
  covers.push_back({CoverKind::visible, *real, *real});
  std::string lexical = absolute_path(path, "/");
  if (lexical != *real) covers.push_back({CoverKind::visible, lexical, *real});
}

void hide(std::vector<PathCover>& covers, const std::string& path) {
  if (auto real = resolved(path)) covers.push_back({CoverKind::hidden, *real, ""});
}

std::vector<PathCover> covers_of(const LaunchSpec& spec, const std::string& temporary, const std::string& cache) {
  std::vector<PathCover> covers = {{CoverKind::private_directory, "/tmp", temporary}};
  hide(covers, spec.paths.directory);
  for (const auto& path : spec.hidden_paths) hide(covers, path);
  for (const auto& path : spec.visible_paths) show(covers, path);
  if (!cache.empty()) covers.push_back({CoverKind::writable, cache, spec.home_cache});
  return plan_covers(std::move(covers));
}

BoxStep step_for(const PathCover& cover, const SandboxDirectories& directories) {
  switch (cover.kind) {
    case CoverKind::private_directory:
    case CoverKind::writable: return {BoxStepKind::write, cover.path, cover.source};
    case CoverKind::visible: return {BoxStepKind::read_try, cover.path, cover.source};
    case CoverKind::hidden: break;
  }
  if (is_directory(cover.path)) return {BoxStepKind::hide, cover.path, ""};
  return {BoxStepKind::read, cover.path, directories.empty_file};
}

Result<void> add_mounts(Steps& steps, const LaunchSpec& spec) {
  for (const auto& mount : spec.mounts) {
    if (!path_exists(mount.host_path))
      return fail(ErrorCode::invalid,
                  mount.host_path + " is to be mounted at " + mount.job_path + ", but does not exist");
    steps.push_back({mount.writable ? BoxStepKind::write : BoxStepKind::read, mount.job_path, mount.host_path});
  }
  return {};
}

}  // namespace

SandboxDirectories sandbox_directories(const std::string& run_directory) {
  return {run_directory + "/src", run_directory + "/upper", run_directory + "/work",
          run_directory + "/tmp", run_directory + "/empty", run_directory + "/root"};
}

Result<void> make_sandbox_directories(const SandboxDirectories& directories) {
  PLZ_TRY(make_directories(parent_path(directories.code), 0700));
  for (const auto& path : {directories.code, directories.code_upper, directories.code_work, directories.root})
    if (mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return fail_errno("cannot make " + path);
  const char* temporary = directories.temporary.c_str();
  // chmod, because of the umask.
  if ((mkdir(temporary, 01777) != 0 && errno != EEXIST) || chmod(temporary, 01777) != 0)
    return fail_errno("cannot make " + directories.temporary);
  PLZ_ASSIGN([[maybe_unused]] UniqueFd empty, open_file(directories.empty_file, O_RDONLY | O_CREAT, 0444));
  return {};
}

Result<std::vector<BoxStep>> plan_sandbox(const LaunchSpec& spec, const SandboxHost& host,
                                          const SandboxDirectories& directories) {
  Steps steps;
  PLZ_TRY(add_root(steps, host));
  steps.push_back({BoxStepKind::proc, "/proc", ""});
  add_devices(steps, host);
  const std::string cache = spec.home_cache.empty() ? "" : cache_path(spec.environment);
  for (const auto& cover : covers_of(spec, directories.temporary, cache)) steps.push_back(step_for(cover, directories));
  if (!cache.empty() && !spec.home_downloads.empty())
    steps.push_back({BoxStepKind::write, kJobDownloadsPath, spec.home_downloads});
  steps.push_back({BoxStepKind::write, kSandboxCodePath, directories.code});
  PLZ_TRY(add_mounts(steps, spec));
  return steps;
}

}  // namespace plz
