#include "runtime/docker/open_copy.h"

#include <filesystem>
#include <vector>

#include "os/fd.h"

namespace plz {
namespace {

namespace fs = std::filesystem;

fs::perms open_permissions(fs::perms owners) {
  const unsigned bits = static_cast<unsigned>(owners & fs::perms::owner_all);
  return static_cast<fs::perms>(bits | bits >> 3 | bits >> 6);
}

Result<void> checked(const std::error_code& error, const fs::path& path) {
  if (!error) return {};
  return fail(errno_error(error.value(), "cannot copy the code, " + path.string()));
}

Result<void> copy_entry(const fs::directory_entry& entry, const fs::path& to) {
  std::error_code error;
  const fs::file_status status = entry.symlink_status(error);
  if (fs::is_symlink(status)) fs::copy_symlink(entry.path(), to, error);
  else if (fs::is_directory(status)) fs::create_directory(to, error);
  else if (fs::is_regular_file(status)) fs::copy_file(entry.path(), to, error);
  return checked(error, entry.path());
}

// Only in the end: a directory without write permission could not be filled.
Result<void> finish_entry(const fs::path& from, const fs::path& to) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(from, error);
  if (!fs::is_directory(status) && !fs::is_regular_file(status)) return checked(error, from);
  fs::permissions(to, open_permissions(status.permissions()), error);
  if (!error) fs::last_write_time(to, fs::last_write_time(from, error), error);
  return checked(error, to);
}

}  // namespace

Result<void> make_open_copy(const std::string& source, const std::string& target) {
  std::error_code error;
  fs::create_directory(target, error);
  std::vector<std::pair<fs::path, fs::path>> copied = {{source, target}};
  fs::recursive_directory_iterator walk(source, error);
  for (; !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    copied.emplace_back(walk->path(), fs::path(target) / walk->path().lexically_relative(source));
    PLZ_TRY(copy_entry(*walk, copied.back().second));
  }
  PLZ_TRY(checked(error, source));
  for (auto entry = copied.rbegin(); entry != copied.rend(); ++entry)
    PLZ_TRY(finish_entry(entry->first, entry->second));
  return {};
}

}  // namespace plz
