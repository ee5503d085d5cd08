#include "cli/data_directory.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/configuration.h"
#include "os/fd.h"
#include "os/file.h"

namespace plz {
namespace {

const std::string* find_non_empty(const EnvironmentVariables& environment, std::string_view name) {
  const std::string* value = find_variable(environment, name);
  return value && !value->empty() ? value : nullptr;
}

// FNV-1a: names a file, guards nothing.
uint64_t short_hash(std::string_view text) {
  uint64_t hash = 14695981039346656037u;
  for (unsigned char byte : text) hash = (hash ^ byte) * 1099511628211u;
  return hash;
}

bool is_own_directory(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid();
}

bool fits_a_socket(const std::string& path) { return path.size() < sizeof(sockaddr_un::sun_path); }

}  // namespace

Result<std::string> data_directory_of(const EnvironmentVariables& environment, std::string_view working_directory) {
  if (const auto* path = find_non_empty(environment, "PLZ_DATA_DIR")) return absolute_path(*path, working_directory);
  // The specification has relative paths ignored here.
  const auto* xdg = find_non_empty(environment, "XDG_DATA_HOME");
  if (xdg && xdg->starts_with('/')) return join_path(absolute_path(*xdg, "/"), "plz");
  if (const auto* home = find_non_empty(environment, "HOME"))
    return absolute_path(join_path(*home, ".local/share/plz"), working_directory);
  return fail(ErrorCode::invalid, "there is no place for plz's data: HOME is not set",
              "set PLZ_DATA_DIR to a directory of your own");
}

Result<void> prepare_data_directory(const std::string& path) {
  auto made = make_directories(path, 0700);
  if (!made) {
    Error error = std::move(made).error();
    error.hint = "plz keeps its data there: make it writable, or set PLZ_DATA_DIR to another directory";
    return fail(std::move(error));
  }
  if (auto kind = network_file_system(path))
    return fail(ErrorCode::invalid,
                fmt::format("the data directory {} lies on a network file system ({}), where a "
                            "database is not safe",
                            path, *kind),
                "set PLZ_DATA_DIR to a directory on a disk of this machine");
  if (access(path.c_str(), R_OK | W_OK | X_OK) != 0) {
    Error error = errno_error(errno, "cannot use the data directory " + path);
    error.hint = "make it writable, or set PLZ_DATA_DIR to another directory";
    return fail(std::move(error));
  }
  return {};
}

Result<void> prepare_private_directory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno("cannot create " + path);
  struct stat status;
  if (lstat(path.c_str(), &status) != 0) return fail_errno("cannot look at " + path);
  const std::string hint = "remove it, or have its owner do so; or set XDG_RUNTIME_DIR to a directory of your own";
  if (S_ISLNK(status.st_mode) || !S_ISDIR(status.st_mode))
    return fail(ErrorCode::invalid, path + " is no directory: plz's socket would not be safe there", hint);
  if (status.st_uid != geteuid())
    return fail(
        ErrorCode::invalid,
        fmt::format("{} belongs to another user (uid {}): plz's socket would not be safe there", path, status.st_uid),
        hint);
  if ((status.st_mode & 077) != 0)
    return fail(ErrorCode::invalid, fmt::format("{} is open to others (mode {:04o})", path, status.st_mode & 07777),
                "chmod 700 " + path);
  return {};
}

bool is_private_directory(const std::string& path) {
  struct stat status;
  return lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
         (status.st_mode & 077) == 0;
}

Result<std::string> socket_path_of(const std::string& data_directory, const EnvironmentVariables& environment,
                                   std::string_view temporary_directory) {
  const std::string name = fmt::format("controller-{:016x}.sock", short_hash(data_directory));
  const auto* runtime = find_non_empty(environment, "XDG_RUNTIME_DIR");
  if (runtime && runtime->starts_with('/') && is_own_directory(*runtime)) {
    const std::string directory = join_path(*runtime, "plz");
    const std::string path = join_path(directory, name);
    if (fits_a_socket(path)) {
      PLZ_TRY(prepare_private_directory(directory));
      return path;
    }
  }
  const std::string directory = join_path(temporary_directory, fmt::format("plz-{}", geteuid()));
  PLZ_TRY(prepare_private_directory(directory));
  return join_path(directory, name);
}

}  // namespace plz
