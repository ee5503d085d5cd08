#include "app/data_directory.h"

#include <unistd.h>

#include <charconv>

#include <fmt/core.h>

#include "base/log.h"
#include "base/text.h"
#include "os/file.h"
#include "wire/controller_address.h"

namespace plz {
namespace {

Result<void> check_format(const std::string& directory) {
  const std::string path = directory + "/format";
  PLZ_ASSIGN(auto content, read_file_if_exists(path, 64));
  if (!content) return write_file_atomically(path, fmt::format("{}\n", kDataFormat), 0600, Sync::yes);
  std::string_view word(*content);
  if (word.ends_with('\n')) word.remove_suffix(1);
  int format = 0;
  auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), format);
  if (error != std::errc() || end != word.data() + word.size() || format < 1)
    return fail(ErrorCode::invalid, fmt::format("{} holds '{}', which is not one whole number", path, printable(word)),
                fmt::format("it is damaged, or this is no directory of plz's; this plz writes {}", kDataFormat));
  if (format > kDataFormat)
    return fail(
        ErrorCode::invalid,
        fmt::format("{} was written by a newer plz (format {}; this one knows {})", directory, format, kDataFormat),
        "use the newer plz, or another directory: PLZ_DATA_DIR");
  return {};
}

std::string address_path(const DataDirectory& data) { return join_path(data.path, kControllerAddressFile); }

}  // namespace

Result<DataDirectory> open_data_directory(const std::string& path) {
  PLZ_TRY(make_directories(path, 0700));
  if (auto kind = network_file_system(path))
    return fail(ErrorCode::invalid, fmt::format("{} lies on a network file system ({})", path, *kind),
                "set PLZ_DATA_DIR to a directory on a local disk");
  PLZ_ASSIGN(auto lock, LockFile::try_lock(path + "/controller.lock", LockFile::kMoment));
  if (!lock) return fail(ErrorCode::conflict, "another controller is using " + path);
  PLZ_TRY(check_format(path));
  PLZ_TRY(make_directories(path + "/worker", 0700));
  return DataDirectory{path, std::move(*lock)};
}

void record_address(const DataDirectory& data, const std::string& socket) {
  const std::string text = controller_address_to_text({getpid(), socket});
  if (auto written = write_file_atomically(address_path(data), text, 0600, Sync::no); !written)
    log_warning("where this controller listens is not recorded: {}", written.error().message);
}

void forget_address(const DataDirectory& data) { unlink(address_path(data).c_str()); }

}  // namespace plz
