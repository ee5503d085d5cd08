#include "os/logout_policy.h"

#include <map>
#include <set>
#include <vector>

#include "base/text.h"
#include "os/file.h"

namespace plz {
namespace {

constexpr uint64_t kMostBytes = 1u << 20;

// The values of the `key=` lines outside of comments.
std::vector<std::string_view> values_of(std::string_view text, std::string_view key) {
  std::vector<std::string_view> values;
  for (std::string_view line : split(text, '\n')) {
    line = trim(line);
    if (!line.starts_with(key)) continue;
    std::string_view rest = trim(line.substr(key.size()));
    if (rest.starts_with('=')) values.push_back(trim(rest.substr(1)));
  }
  return values;
}

// Lines add up; an empty one takes back those before it. nullopt: there is none.
std::optional<std::set<std::string>> listed_users(std::string_view text, std::string_view key) {
  const auto values = values_of(text, key);
  if (values.empty()) return std::nullopt;
  std::set<std::string> users;
  for (std::string_view value : values) {
    if (value.empty()) users.clear();
    for (std::string_view name : split(value, ' '))
      if (!name.empty()) users.emplace(name);
  }
  return users;
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
  const auto values = values_of(logind_conf, "KillUserProcesses");
  if (values.empty()) return std::nullopt;
  const std::string_view value = values.back();
  return value == "yes" || value == "true" || value == "1" || value == "on";
}

bool logout_ends_processes(const std::string& login_name, const std::string& root) {
  const std::string text = all_configuration(root);
  const auto excluded = listed_users(text, "KillExcludeUsers").value_or(std::set<std::string>{"root"});
  if (excluded.contains(login_name)) return false;
  const auto only = listed_users(text, "KillOnlyUsers").value_or(std::set<std::string>{});
  const bool kills = only.empty() ? kill_user_processes(text).value_or(false) : only.contains(login_name);
  return kills && !path_exists(join_path(root, "var/lib/systemd/linger/" + login_name));
}

}  // namespace plz
