#include "os/logout_policy.h"

#include <map>

#include "base/text.h"
#include "os/file.h"

namespace plz {
namespace {

constexpr uint64_t kMostBytes = 1u << 20;

// The value of the last `key=` line outside of comments.
std::optional<std::string> last_value(std::string_view text, std::string_view key) {
  std::optional<std::string> value;
  for (std::string_view line : split(text, '\n')) {
    line = trim(line);
    if (!line.starts_with(key)) continue;
    std::string_view rest = trim(line.substr(key.size()));
    if (rest.starts_with('=')) value = std::string(trim(rest.substr(1)));
  }
  return value;
}

// logind.conf itself, then its drop-ins by name; of equal names, /etc wins over /run over /usr/lib.
std::string all_configuration(const std::string& root) {
  std::map<std::string, std::string> drop_ins;
  std::string text;
  for (const char* directory : {"usr/lib/systemd", "run/systemd", "etc/systemd"}) {
    const std::string base = join_path(root, directory);
    if (auto main = read_file(base + "/logind.conf", kMostBytes)) text = *main;
    auto names = list_directory(base + "/logind.conf.d");
    if (!names) continue;
    for (const auto& name : *names) {
      if (!name.ends_with(".conf")) continue;
      if (auto content = read_file(base + "/logind.conf.d/" + name, kMostBytes)) drop_ins[name] = *content;
    }
  }
  for (const auto& [name, content] : drop_ins) text += "\n" + content;
  return text;
}

}  // namespace

std::optional<bool> kill_user_processes(std::string_view logind_conf) {
  auto value = last_value(logind_conf, "KillUserProcesses");
  if (!value) return std::nullopt;
  return *value == "yes" || *value == "true" || *value == "1" || *value == "on";
}

bool logout_ends_processes(const std::string& user, const std::string& root) {
  const std::string text = all_configuration(root);
  if (!kill_user_processes(text).value_or(false)) return false;
  const std::string excluded = last_value(text, "KillExcludeUsers").value_or("root");
  for (std::string_view name : split(excluded, ' '))
    if (name == user) return false;
  return !path_exists(join_path(root, "var/lib/systemd/linger/" + user));
}

}  // namespace plz
