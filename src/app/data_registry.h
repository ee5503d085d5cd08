// Which data directories of plz there are on this machine, so that no job sees any of them.
//
//   STATE/plz/data-directories/NAME   "PATH\n"; NAME is made of the path
//
// STATE is $XDG_STATE_HOME, else ~/.local/state. Each controller enters its own. The entries are hints: what cannot be
// read, or names no data directory of the entry's owner, is passed over; one whose directory has gone is removed.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace plz {

// Whose they are, and where such things lie; a test hands in others. "": there is none.
struct RegistryPlaces {
  uid_t uid = 0;  // 0: everybody's count, as far as root can know
  std::string home, state_home, data_home, runtime_directory;
  std::string runtime_root = "/run/user";
  std::string temporary = "/tmp";
  std::string accounts = "/etc/passwd";
};
// By this process's user and environment.
RegistryPlaces registry_places();

// Where there is no home, or not one's own, or no room, nothing is entered, and a job may see the directory.
void register_data_directory(const std::string& path, const RegistryPlaces& places);

// What of plz's lies on this machine: data directories, those of their sockets, the registry. All of it is there.
std::vector<std::string> paths_of_plz(const RegistryPlaces& places);

}  // namespace plz
