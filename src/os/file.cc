#include "os/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <climits>

#include <fmt/core.h>

namespace plz {

Result<UniqueFd> open_file(const std::string& path, int flags, mode_t mode) {
  int fd = open(path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) return fail_errno("cannot open " + path);
  return UniqueFd(fd);
}

Result<std::string> read_file(const std::string& path, uint64_t limit) {
  PLZ_ASSIGN(UniqueFd fd, open_file(path, O_RDONLY));
  return read_open_file(fd.get(), path, limit);
}

Result<std::string> read_open_file(int fd, const std::string& path, uint64_t limit) {
  struct stat st;
  if (fstat(fd, &st) != 0) return fail_errno("cannot read " + path);
  if (S_ISDIR(st.st_mode)) return fail(errno_error(EISDIR, "cannot read " + path));
  // The kernel's own files do not tell their size: a page holds most of them.
  const size_t expected = st.st_size > 0 ? static_cast<size_t>(st.st_size) : 4096;
  std::string content(expected + 1, '\0');
  size_t size = 0;
  for (;;) {
    auto n = read_up_to(fd, content.data() + size, content.size() - size);
    if (!n) return fail(std::move(n).error().with_context(path));
    size += *n;
    if (size > limit) return fail(ErrorCode::invalid, fmt::format("{} is larger than {} bytes", path, limit));
    if (size < content.size()) break;
    content.resize(content.size() * 2);
  }
  content.resize(size);
  return content;
}

Result<std::optional<std::string>> read_file_if_exists(const std::string& path, uint64_t limit) {
  auto content = read_file(path, limit);
  if (content) return std::optional(std::move(*content));
  if (content.error().code == ErrorCode::not_found) return std::optional<std::string>();
  return fail(std::move(content).error());
}

Result<void> write_file_atomically(const std::string& path, std::string_view content, mode_t mode, Sync sync) {
  static std::atomic<unsigned> counter{0};
  std::string temporary = fmt::format("{}.{}.{}.tmp", path, getpid(), counter++);
  auto write = [&]() -> Result<void> {
    PLZ_ASSIGN(UniqueFd fd, open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, mode));
    auto written = write_all(fd.get(), content);
    if (!written) return fail(std::move(written).error().with_context(path));
    if (sync == Sync::yes && fdatasync(fd.get()) != 0) return fail_errno("cannot sync " + path);
    if (rename(temporary.c_str(), path.c_str()) != 0) return fail_errno("cannot replace " + path);
    return {};
  };
  auto result = write();
  if (!result) {
    unlink(temporary.c_str());
    return result;
  }
  return sync == Sync::yes ? sync_directory(parent_path(path)) : result;
}

Result<void> make_directories(const std::string& path, mode_t mode) {
  if (mkdir(path.c_str(), mode) == 0) return {};
  if (errno == ENOENT) {
    std::string parent = parent_path(path);
    if (parent != path) PLZ_TRY(make_directories(parent, mode));
    if (mkdir(path.c_str(), mode) == 0) return {};
  }
  if (errno != EEXIST) return fail_errno("cannot make the directory " + path);
  struct stat st;
  if (stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode)) return {};
  return fail(ErrorCode::conflict, path + " exists and is not a directory");
}

Result<void> sync_directory(const std::string& path) {
  PLZ_ASSIGN(UniqueFd fd, open_file(path, O_RDONLY | O_DIRECTORY));
  if (fsync(fd.get()) != 0) return fail_errno("cannot sync " + path);
  return {};
}

bool path_exists(const std::string& path) {
  struct stat st;
  return lstat(path.c_str(), &st) == 0;
}

Result<uint64_t> file_size(const std::string& path) {
  struct stat st;
  if (stat(path.c_str(), &st) != 0) return fail_errno("cannot stat " + path);
  return static_cast<uint64_t>(st.st_size);
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
  DIR* directory = opendir(path.c_str());
  if (!directory) return fail_errno("cannot list " + path);
  std::vector<std::string> names;
  errno = 0;
  while (dirent* entry = readdir(directory)) {
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  int error = errno;
  closedir(directory);
  if (error != 0) return fail(errno_error(error, "cannot list " + path));
  std::sort(names.begin(), names.end());
  return names;
}

std::string join_path(std::string_view directory, std::string_view name) {
  if (directory.empty()) return std::string(name);
  std::string path(directory);
  if (path.back() != '/') path += '/';
  path += name;
  return path;
}

std::string parent_path(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  size_t slash = path.rfind('/');
  if (slash == path.npos) return ".";
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

std::string base_name(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  if (path == "/") return "/";
  size_t slash = path.rfind('/');
  return std::string(slash == path.npos ? path : path.substr(slash + 1));
}

std::string absolute_path(std::string_view path, std::string_view base) {
  std::string joined = !path.empty() && path.front() == '/' ? std::string(path) : join_path(base, path);
  std::string result;
  for (size_t i = 0; i < joined.size();) {
    size_t end = std::min(joined.find('/', i), joined.size());
    std::string_view part = std::string_view(joined).substr(i, end - i);
    i = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      size_t slash = result.rfind('/');
      if (slash != result.npos) result.resize(slash);
      continue;
    }
    result += '/';
    result += part;
  }
  return result.empty() ? "/" : result;
}

Result<std::string> current_directory() {
  char buffer[PATH_MAX];
  if (!getcwd(buffer, sizeof buffer)) return fail_errno("cannot tell the current directory");
  return std::string(buffer);
}

std::optional<std::string> network_file_system(const std::string& path) {
  struct statfs fs;
  if (statfs(path.c_str(), &fs) != 0) return std::nullopt;
  // Magic numbers from linux/magic.h and statfs(2).
  switch (static_cast<unsigned long>(fs.f_type) & 0xffffffffUL) {
    case 0x6969: return "nfs";
    case 0xff534d42: return "cifs";
    case 0xfe534d42: return "smb2";
    case 0x517b: return "smb";
    case 0x5346414f: return "afs";
    case 0x73757245: return "coda";
    case 0x01021997: return "9p";
    case 0x0bd00bd0: return "lustre";
    case 0x00c36400: return "ceph";
    case 0x47504653: return "gpfs";
    case 0x19830326: return "beegfs";
    default: return std::nullopt;
  }
}

Result<uint64_t> free_bytes(const std::string& path) {
  struct statvfs fs;
  if (statvfs(path.c_str(), &fs) != 0) return fail_errno("cannot stat the file system of " + path);
  return static_cast<uint64_t>(fs.f_bavail) * fs.f_frsize;
}

}  // namespace plz
