#include "environment/docker/build_notes.h"

#include <cerrno>

#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "os/fd.h"
#include "os/file.h"

namespace plz {
namespace {

constexpr std::string_view kImage = "image ", kContainer = "container ";

}  // namespace

std::string BuildNotes::path_of(const std::string& key) const { return join_path(directory_, key); }

Result<void> BuildNotes::write(const std::string& key, const MadeByBuild& made) const {
  std::string text;
  for (const std::string& id : made.images) text += std::string(kImage) + id + "\n";
  for (const std::string& id : made.containers) text += std::string(kContainer) + id + "\n";
  PLZ_TRY(make_directories(directory_, 0700));
  return write_file_atomically(path_of(key), text, 0600, Sync::no);
}

void BuildNotes::erase(const std::string& key) const {
  if (unlink(path_of(key).c_str()) != 0 && errno != ENOENT)
    log_warning("{}", errno_error(errno, "cannot remove " + path_of(key)).message);
}

std::vector<std::string> BuildNotes::keys() const {
  if (!path_exists(directory_)) return {};
  auto names = list_directory(directory_);
  if (names) return std::move(*names);
  log_warning("what builds have left is not known: {}", names.error().message);
  return {};
}

Result<MadeByBuild> BuildNotes::read(const std::string& key) const {
  MadeByBuild made;
  PLZ_ASSIGN(const auto text, read_file_if_exists(path_of(key)));
  if (!text) return made;
  for (const std::string_view line : split(*text, '\n')) {
    if (line.starts_with(kImage)) made.images.emplace_back(line.substr(kImage.size()));
    if (line.starts_with(kContainer)) made.containers.emplace_back(line.substr(kContainer.size()));
  }
  return made;
}

}  // namespace plz
