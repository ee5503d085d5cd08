#include "worker/kept_outputs.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string_view>

#include "os/fd.h"
#include "os/file.h"

namespace plz {
namespace {

constexpr std::string_view kLogSuffix = ".log";

uint64_t bytes_of_file(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) ? static_cast<uint64_t>(status.st_size) : 0;
}

// What cannot be looked at counts nothing. No link is followed.
uint64_t bytes_of_files(const std::string& directory) {
  namespace fs = std::filesystem;
  uint64_t bytes = 0;
  std::error_code error;
  fs::recursive_directory_iterator entry(directory, fs::directory_options::skip_permission_denied, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error))
    bytes += bytes_of_file(entry->path().string());
  return bytes;
}

}  // namespace

std::string KeptOutputs::path_of(AttemptId id) const { return join_path(directory_, id.to_string()); }

bool KeptOutputs::has(AttemptId id) const { return path_exists(path_of(id)); }

Result<void> KeptOutputs::take(AttemptId id, const std::string& output) {
  PLZ_TRY(make_directories(directory_, 0700));
  const std::string there = path_of(id);
  if (rename(output.c_str(), there.c_str()) == 0 || errno == ENOENT) return {};
  return fail_errno("cannot move the output to " + there);
}

Result<void> KeptOutputs::take_log(AttemptId id, const std::string& log) {
  PLZ_TRY(make_directories(directory_, 0700));
  const std::string there = log_path_of(id);
  if (rename(log.c_str(), there.c_str()) == 0 || errno == ENOENT) return {};
  return fail_errno("cannot move the log to " + there);
}

std::vector<KeptOutputs::Kept> KeptOutputs::list() const {
  std::vector<Kept> all;
  const auto names = list_directory(directory_);
  if (!names) return all;
  std::map<AttemptId, uint64_t> bytes;
  for (const auto& name : *names) {
    const bool is_log = name.ends_with(kLogSuffix);
    const auto id = AttemptId::parse(is_log ? name.substr(0, name.size() - kLogSuffix.size()) : name);
    if (id) bytes[*id] += is_log ? bytes_of_file(log_path_of(*id)) : bytes_of_files(path_of(*id));
  }
  for (const auto& [id, count] : bytes) all.push_back({id, count});
  return all;
}

Result<void> KeptOutputs::remove(AttemptId id) {
  PLZ_TRY(remove_tree(log_path_of(id)));
  return remove_tree(path_of(id));
}

}  // namespace plz
