#include "cli/output_directories.h"

#include <sys/stat.h>

#include <charconv>
#include <optional>

#include <fmt/core.h>

#include "base/text.h"
#include "os/file.h"
#include "os/lock_file.h"

namespace plz {
namespace {

struct Entry {
  uint64_t device = 0, inode = 0;
  std::string path;
  bool operator==(const Entry&) const = default;
};

std::optional<Entry> entry_of(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return std::nullopt;
  return Entry{status.st_dev, status.st_ino, path};
}

// "DEVICE INODE PATH", the path ended by a NUL: it may hold anything else.
std::optional<Entry> parse_entry(std::string_view text) {
  Entry entry;
  for (uint64_t* number : {&entry.device, &entry.inode}) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    if (error != std::errc() || !text.starts_with(' ')) return std::nullopt;
    text.remove_prefix(1);
  }
  if (!text.starts_with('/')) return std::nullopt;
  entry.path = text;
  return entry;
}

bool is_still_there(const Entry& entry) { return entry_of(entry.path) == entry; }

std::vector<Entry> read_entries(const std::string& path) {
  std::vector<Entry> entries;
  auto text = read_file_if_exists(path);
  if (!text || !*text) return entries;
  for (auto line : split(**text, '\0'))
    if (auto entry = parse_entry(line)) entries.push_back(std::move(*entry));
  return entries;
}

}  // namespace

OutputDirectories::OutputDirectories(const std::string& data_directory)
    : path_(join_path(data_directory, "output-directories")) {}

Result<void> OutputDirectories::remember(std::string_view absolute_path) {
  auto added = entry_of(std::string(absolute_path));
  if (!added) return {};
  PLZ_TRY(make_directories(parent_path(path_), 0700));
  PLZ_ASSIGN(auto lock, LockFile::lock(path_ + ".lock"));
  auto entries = read_entries(path_);
  std::erase(entries, *added);
  entries.push_back(std::move(*added));
  if (entries.size() > kMostKept) std::erase_if(entries, [](const Entry& entry) { return !is_still_there(entry); });
  if (entries.size() > kMostKept) entries.erase(entries.begin(), entries.end() - kMostKept);
  std::string text;
  for (const auto& entry : entries) {
    text += fmt::format("{} {} {}", entry.device, entry.inode, entry.path);
    text += '\0';
  }
  return write_file_atomically(path_, text, 0600, Sync::no);
}

std::vector<std::string> OutputDirectories::below(std::string_view directory) const {
  std::string above = directory == "/" ? "/" : std::string(directory) + "/";
  std::vector<std::string> paths;
  for (auto& entry : read_entries(path_))
    if (entry.path.starts_with(above) && is_still_there(entry)) paths.push_back(std::move(entry.path));
  return paths;
}

}  // namespace plz
