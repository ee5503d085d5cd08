#include "os/cgroup.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "base/text.h"
#include "os/file.h"
#include "os/machine.h"

namespace plz {
namespace {

constexpr char kNameTemplate[] = "plz-XXXXXX";

struct Version {
  const char* limit_file;
  const char* events_file;  // with a line "oom_kill N"
};
constexpr Version kVersion2{"memory.max", "memory.events"};
constexpr Version kVersion1{"memory.limit_in_bytes", "memory.oom_control"};

Result<void> write_setting(const std::string& path, const std::string& value) {
  PLZ_ASSIGN(UniqueFd fd, open_file(path, O_WRONLY));
  auto written = write_all(fd.get(), value);
  if (!written) return fail(std::move(written).error().with_context(path));
  return {};
}

Result<std::string> make_below(const std::string& parent, const Version& version, uint64_t limit_bytes) {
  std::string directory = join_path(parent, kNameTemplate);
  if (!mkdtemp(directory.data())) return fail_errno("cannot make a cgroup in " + parent);
  auto limited = write_setting(join_path(directory, version.limit_file), std::to_string(limit_bytes));
  if (limited) return directory;
  rmdir(directory.c_str());
  return fail(std::move(limited).error());
}

// In v2 a group that has processes cannot have children with limits: beside, not below. A group that
// is the root of what can be seen has no beside.
Result<std::string> make_version2(const std::string& root, const std::string& own, uint64_t limit_bytes) {
  std::string base = root + "sys/fs/cgroup";
  return make_below(own == "/" ? base : base + parent_path(own), kVersion2, limit_bytes);
}

Result<std::string> make_version1(const std::string& root, const std::string& own, uint64_t limit_bytes) {
  return make_below(root + "sys/fs/cgroup/memory" + (own == "/" ? "" : own), kVersion1, limit_bytes);
}

std::optional<uint64_t> oom_kills_in(const std::string& events) {
  for (auto line : split(events, '\n')) {
    if (!line.starts_with("oom_kill ")) continue;
    std::string_view text = line.substr(line.find(' ') + 1);
    uint64_t kills = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), kills).ec == std::errc()) return kills;
  }
  return std::nullopt;
}

}  // namespace

Result<std::string> make_memory_cgroup(uint64_t limit_bytes, const std::string& root) {
  PLZ_ASSIGN(std::string own, read_file(root + "proc/self/cgroup"));
  Result<std::string> made = fail(ErrorCode::unavailable, "this system has no cgroups for memory");
  if (auto path = cgroup_path(own, "memory")) made = make_version1(root, *path, limit_bytes);
  else if (auto path = cgroup_path(own, "")) made = make_version2(root, *path, limit_bytes);
  if (!made) made.error().code = ErrorCode::unavailable;
  return made;
}

std::string cgroup_procs_file(const std::string& directory) { return join_path(directory, "cgroup.procs"); }

std::optional<uint64_t> cgroup_oom_kills(const std::string& directory) {
  for (const auto& version : {kVersion2, kVersion1})
    if (auto events = read_file(join_path(directory, version.events_file))) return oom_kills_in(*events);
  return std::nullopt;
}

Result<void> remove_cgroup(const std::string& directory) {
  if (rmdir(directory.c_str()) == 0 || errno == ENOENT) return {};
  return fail_errno("cannot remove the cgroup " + directory);
}

}  // namespace plz
