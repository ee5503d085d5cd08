#include "runtime/sandbox/sandbox_layout.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>

#include "init/contract.h"
#include "os/file.h"
#include "runtime/sandbox/path_covers.h"

namespace plz {
namespace {

// What of a container's capabilities root keeps; they count within the sandbox only. Not among them
// what would let a job reach plz-init (SYS_PTRACE) or undo the mounts (SYS_ADMIN).
constexpr const char* kRootCapabilities[] = {
    "CAP_CHOWN",  "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID",           "CAP_KILL",
    "CAP_SETGID", "CAP_SETUID",       "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW",
    "CAP_SETFCAP", "CAP_SYS_CHROOT"};

class Arguments {
 public:
  explicit Arguments(const std::string& program) : list_{program} {}
  template <typename... Texts>
  void add(Texts&&... texts) {
    (list_.emplace_back(std::forward<Texts>(texts)), ...);
  }
  std::vector<std::string> take() { return std::move(list_); }

 private:
  std::vector<std::string> list_;
};

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

Result<void> add_root(Arguments& arguments, const SandboxHost& host) {
  PLZ_ASSIGN(auto names, list_directory(host.root));
  for (const auto& name : names) {
    if (is_made_anew(name)) continue;
    std::string path = join_path(host.root, name);
    char target[PATH_MAX];
    ssize_t n = readlink(path.c_str(), target, sizeof target);
    if (n >= 0) arguments.add("--symlink", std::string(target, static_cast<size_t>(n)), "/" + name);
    else arguments.add("--ro-bind-try", path, "/" + name);
  }
  return {};
}

bool is_accelerator(const std::string& name) {
  return name.starts_with("nvidia") || name.starts_with("accel") || name == "dri" || name == "kfd" ||
         name == "dxg";
}

void add_devices(Arguments& arguments, const SandboxHost& host) {
  arguments.add("--dev", "/dev");
  auto names = list_directory(host.devices);
  if (!names) return;  // a sandbox without GPUs is still one
  for (const auto& name : *names)
    if (is_accelerator(name)) arguments.add("--dev-bind-try", join_path(host.devices, name), "/dev/" + name);
}

std::string variable(const EnvironmentVariables& environment, std::string_view name) {
  auto at = std::find_if(environment.begin(), environment.end(),
                         [&](const auto& entry) { return entry.first == name; });
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

std::vector<PathCover> covers_of(const LaunchSpec& spec, const std::string& temporary) {
  std::vector<PathCover> covers = {{CoverKind::private_directory, "/tmp", temporary}};
  hide(covers, spec.paths.directory);
  for (const auto& path : spec.hidden_paths) hide(covers, path);
  for (const auto& path : spec.visible_paths) show(covers, path);
  std::string cache = spec.home_cache.empty() ? "" : cache_path(spec.environment);
  if (!cache.empty()) covers.push_back({CoverKind::writable, cache, spec.home_cache});
  return plan_covers(std::move(covers));
}

void add_cover(Arguments& arguments, const PathCover& cover, const SandboxDirectories& directories) {
  switch (cover.kind) {
    case CoverKind::private_directory:
    case CoverKind::writable: arguments.add("--bind", cover.source, cover.path); break;
    case CoverKind::visible: arguments.add("--ro-bind-try", cover.source, cover.path); break;
    case CoverKind::hidden:
      if (is_directory(cover.path)) arguments.add("--tmpfs", cover.path, "--remount-ro", cover.path);
      else arguments.add("--ro-bind", directories.empty_file, cover.path);
      break;
  }
}

Result<void> add_mounts(Arguments& arguments, const LaunchSpec& spec) {
  for (const auto& mount : spec.mounts) {
    if (!path_exists(mount.host_path))
      return fail(ErrorCode::invalid, mount.host_path + " is to be mounted at " + mount.job_path +
                                          ", but does not exist");
    arguments.add(mount.writable ? "--bind" : "--ro-bind", mount.host_path, mount.job_path);
  }
  return {};
}

void add_capabilities(Arguments& arguments, const SandboxHost& host) {
  if (!host.is_root) return;
  arguments.add("--cap-drop", "ALL");
  for (const char* capability : kRootCapabilities) arguments.add("--cap-add", capability);
}

}  // namespace

SandboxDirectories sandbox_directories(const std::string& run_directory) {
  return {run_directory + "/src", run_directory + "/upper", run_directory + "/work", run_directory + "/tmp",
          run_directory + "/empty"};
}

Result<void> make_sandbox_directories(const SandboxDirectories& directories) {
  PLZ_TRY(make_directories(parent_path(directories.code), 0700));
  for (const auto& path : {directories.code, directories.code_upper, directories.code_work})
    if (mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return fail_errno("cannot make " + path);
  const char* temporary = directories.temporary.c_str();
  // chmod, because of the umask.
  if ((mkdir(temporary, 01777) != 0 && errno != EEXIST) || chmod(temporary, 01777) != 0)
    return fail_errno("cannot make " + directories.temporary);
  PLZ_ASSIGN([[maybe_unused]] UniqueFd empty, open_file(directories.empty_file, O_RDONLY | O_CREAT, 0444));
  return {};
}

Result<std::vector<std::string>> sandbox_arguments(const LaunchSpec& spec, const SandboxHost& host,
                                                   const std::string& run_directory) {
  SandboxDirectories directories = sandbox_directories(run_directory);
  Arguments arguments(host.bwrap_path);
  arguments.add("--unshare-pid", "--as-pid-1");
  if (!spec.network) arguments.add("--unshare-net");
  add_capabilities(arguments, host);
  PLZ_TRY(add_root(arguments, host));
  arguments.add("--proc", "/proc");
  add_devices(arguments, host);
  for (const auto& cover : covers_of(spec, directories.temporary))
    add_cover(arguments, cover, directories);
  arguments.add("--bind", directories.code, kSandboxCodePath);
  PLZ_TRY(add_mounts(arguments, spec));
  arguments.add("--remount-ro", "/", "--", init::kProgramPath, "inner");
  return arguments.take();
}

}  // namespace plz
