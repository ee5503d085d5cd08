#include "app/data_registry.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>

#include <fmt/core.h>

#include "base/log.h"
#include "base/text.h"
#include "os/file.h"
#include "wire/controller_address.h"

namespace plz {
namespace {

constexpr char kRegistry[] = "plz/data-directories";
constexpr uint64_t kMostPathBytes = 8192;
constexpr size_t kMostEntries = 1000;  // of one person

std::string absolute_variable(const char* name) {
  const char* value = getenv(name);
  return value && *value == '/' ? value : "";
}

// FNV-1a: names a file, guards nothing.
uint64_t hash_of_path(std::string_view text) {
  uint64_t hash = 14695981039346656037u;
  for (unsigned char byte : text) hash = (hash ^ byte) * 1099511628211u;
  return hash;
}

std::string below(const std::string& directory, std::string_view name) {
  return directory.empty() ? "" : join_path(directory, name);
}

std::string state_home_of(const RegistryPlaces& places) {
  return places.state_home.empty() ? below(places.home, ".local/state") : places.state_home;
}

// Of a file that anybody may have put there: no link is followed, and nothing is waited for.
std::optional<std::string> read_entry(const std::string& path, uid_t& owner) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status;
  if (fd.get() < 0 || fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  owner = status.st_uid;
  auto text = read_open_file(fd.get(), path, kMostPathBytes);
  return text ? std::optional(std::move(*text)) : std::nullopt;
}

bool is_data_directory(const std::string& path, uid_t owner) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == owner &&
         path_exists(join_path(path, "format"));
}

class KnownPaths {
 public:
  explicit KnownPaths(const RegistryPlaces& places) : places_(places) {}

  void add(const std::string& path) {
    if (!path.empty() && path_exists(path)) paths_.push_back(path);
  }

  void add_person(const std::string& home, const std::string& state_home) {
    add_registry(below(state_home, kRegistry));
    add_data(below(home, ".local/share/plz"));
  }

  // With where its controller listens: a directory that is plz's alone, or else just the socket.
  void add_data(const std::string& path) {
    add(path);
    uid_t owner = 0;
    const auto text = read_entry(below(path, kControllerAddressFile), owner);
    const auto address = text ? controller_address_from_text(*text) : std::nullopt;
    if (!address || !address->socket.starts_with('/')) return;
    const std::string directory = parent_path(address->socket);
    const std::string name = base_name(directory);
    add(name == "plz" || name.starts_with("plz-") ? directory : address->socket);
  }

  std::vector<std::string> take() {
    std::sort(paths_.begin(), paths_.end());
    paths_.erase(std::unique(paths_.begin(), paths_.end()), paths_.end());
    return std::move(paths_);
  }

 private:
  void add_registry(const std::string& registry) {
    if (registry.empty()) return;
    const auto names = list_directory(registry);
    if (!names) return;
    add(registry);
    for (size_t i = 0; i < names->size() && i < kMostEntries; ++i) add_entry(join_path(registry, (*names)[i]));
  }

  void add_entry(const std::string& entry) {
    uid_t owner = 0;
    const auto text = read_entry(entry, owner);
    if (!text || !text->starts_with('/') || !text->ends_with('\n')) return;
    const std::string path = text->substr(0, text->size() - 1);
    if (path.find('\0') != path.npos) return;
    if (is_data_directory(path, owner)) add_data(path);
    else if (owner == places_.uid && access(path.c_str(), F_OK) != 0 && errno == ENOENT) unlink(entry.c_str());
  }

  const RegistryPlaces& places_;
  std::vector<std::string> paths_;
};

void add_everybodys(const RegistryPlaces& places, KnownPaths& known) {
  const std::string accounts = read_file(places.accounts).value_or("");
  for (const auto& line : split(accounts, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() < 6 || !fields[5].starts_with('/') || fields[5] == "/") continue;
    const std::string home(fields[5]);
    known.add_person(home, join_path(home, ".local/state"));
  }
  for (const auto& name : list_directory(places.runtime_root).value_or(std::vector<std::string>()))
    known.add(join_path(join_path(places.runtime_root, name), "plz"));
}

}  // namespace

RegistryPlaces registry_places() {
  return {geteuid(), absolute_variable("HOME"), absolute_variable("XDG_STATE_HOME"), absolute_variable("XDG_DATA_HOME"),
          absolute_variable("XDG_RUNTIME_DIR")};
}

void register_data_directory(const std::string& path, const RegistryPlaces& places) {
  const std::string state = state_home_of(places);
  struct stat status;
  // Under sudo it may be another's, who would be left with directories of root's.
  if (state.empty() || stat(places.home.c_str(), &status) != 0 || status.st_uid != places.uid) return;
  const std::string registry = join_path(state, kRegistry);
  const std::string entry = join_path(registry, fmt::format("{:016x}", hash_of_path(path)));
  const std::string text = path + "\n";
  if (auto there = read_file(entry, kMostPathBytes); there && *there == text) return;
  auto written = make_directories(registry, 0700);
  if (written) written = write_file_atomically(entry, text, 0600, Sync::no);
  if (!written) log_warning("jobs of other data directories may see {}: {}", path, written.error().message);
}

std::vector<std::string> paths_of_plz(const RegistryPlaces& places) {
  KnownPaths known(places);
  known.add_person(places.home, state_home_of(places));
  known.add_data(below(places.data_home, "plz"));
  known.add(below(places.runtime_directory, "plz"));
  known.add(fmt::format("{}/{}/plz", places.runtime_root, places.uid));
  known.add(fmt::format("{}/plz-{}", places.temporary, places.uid));
  if (places.uid == 0) add_everybodys(places, known);
  return known.take();
}

}  // namespace plz
