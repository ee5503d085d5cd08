// Whether systemd-logind ends a person's processes when they log out, as logind.conf(5) says.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace plz {

// True where it does (KillUserProcesses, or this user is one of KillOnlyUsers) and this user is neither
// excluded nor lingering (loginctl enable-linger): jobs then die with the session. Reads a few small files;
// false where they cannot be read. `root` is "/" but in tests.
bool logout_ends_processes(const std::string& login_name, const std::string& root = "/");

// The last KillUserProcesses= of a configuration file's text, if there is one.
std::optional<bool> kill_user_processes(std::string_view logind_conf);

}  // namespace plz
