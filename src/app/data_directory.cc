#include "app/data_directory.h"

#include <charconv>

#include <fmt/core.h>

#include "os/file.h"

namespace plz {
namespace {

Result<void> check_format(const std::string& directory) {
  const std::string path = directory + "/format";
  PLZ_ASSIGN(auto content, read_file_if_exists(path, 64));
  if (!content) return write_file_atomically(path, fmt::format("{}\n", kDataFormat), 0600, Sync::yes);
  int format = 0;
  auto [end, error] = std::from_chars(content->data(), content->data() + content->size(), format);
  if (error != std::errc())
    return fail(ErrorCode::invalid, path + " does not hold a number", "is this a directory of plz's?");
  if (format > kDataFormat)
    return fail(
        ErrorCode::invalid,
        fmt::format("{} was written by a newer plz (format {}; this one knows {})", directory, format, kDataFormat),
        "use the newer plz, or another directory: PLZ_DATA_DIR");
  return {};
}

}  // namespace

Result<DataDirectory> open_data_directory(const std::string& path) {
  PLZ_TRY(make_directories(path, 0700));
  if (auto kind = network_file_system(path))
    return fail(ErrorCode::invalid, fmt::format("{} lies on a network file system ({})", path, *kind),
                "set PLZ_DATA_DIR to a directory on a local disk");
  PLZ_ASSIGN(auto lock, LockFile::try_lock(path + "/controller.lock", LockFile::kMoment));
  if (!lock) return fail(ErrorCode::conflict, "another controller is using " + path);
  PLZ_TRY(check_format(path));
  for (const char* name : {"/store", "/logs", "/worker"}) PLZ_TRY(make_directories(path + name, 0700));
  return DataDirectory{path, std::move(*lock)};
}

}  // namespace plz
