#include "init/user.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "init/file.h"

namespace plz::init {
namespace {

using Fields = std::vector<std::string_view>;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  for (size_t at = 0; at <= text.size();) {
    size_t end = std::min(text.find(separator, at), text.size());
    pieces.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return pieces;
}

std::optional<unsigned> number(std::string_view text) {
  unsigned value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Lines of colon-separated fields, the third a number. An image may have no such file.
class Table {
 public:
  Table(const char* path, size_t fields) {
    read_whole(AT_FDCWD, path, text_);
    for (std::string_view line : split(text_, '\n'))
      if (Fields entry = split(line, ':'); entry.size() >= fields && number(entry[2]))
        entries_.push_back(std::move(entry));
  }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  const std::vector<Fields>& entries() const { return entries_; }
  // By name first, as Docker does: a name may look like a number.
  const Fields* find(std::string_view name) const {
    for (const Fields& entry : entries_)
      if (entry[0] == name) return &entry;
    for (const Fields& entry : entries_)
      if (entry[2] == name) return &entry;
    return nullptr;
  }

 private:
  std::string text_;
  std::vector<Fields> entries_;
};

bool find_group(const Table& groups, std::string_view wanted, gid_t& gid, std::string& reason) {
  const Fields* entry = groups.find(wanted);
  auto id = entry ? number((*entry)[2]) : number(wanted);
  if (!id) {
    reason = "the image has no group " + std::string(wanted) + " in its /etc/group";
    return false;
  }
  gid = *id;
  return true;
}

void add_memberships(const Table& groups, std::string_view name, JobUser& user) {
  for (const Fields& entry : groups.entries()) {
    Fields members = split(entry.size() > 3 ? entry[3] : "", ',');
    if (std::find(members.begin(), members.end(), name) != members.end()) user.groups.push_back(*number(entry[2]));
  }
}

}  // namespace

bool find_user(std::string_view wanted, const std::vector<const char*>& more_groups, JobUser& user,
               std::string& reason) {
  Table people("/etc/passwd", 6), groups("/etc/group", 3);
  size_t colon = wanted.find(':');
  std::string_view name = wanted.substr(0, colon);
  std::string_view group = colon == wanted.npos ? std::string_view() : wanted.substr(colon + 1);
  if (name.empty()) name = "0";
  const Fields* person = people.find(name);
  auto uid = person ? number((*person)[2]) : number(name);
  if (!uid) {
    reason = "the image has no user " + std::string(name) + " in its /etc/passwd";
    return false;
  }
  user.uid = *uid;
  if (person) {
    user.gid = number((*person)[3]).value_or(0);
    if (!(*person)[5].empty()) user.home = (*person)[5];
    if (group.empty()) add_memberships(groups, (*person)[0], user);
  }
  if (!group.empty() && !find_group(groups, group, user.gid, reason)) return false;
  for (const char* more : more_groups) {
    gid_t gid;
    if (!find_group(groups, more, gid, reason)) return false;
    user.groups.push_back(gid);
  }
  return true;
}

bool become(const JobUser& user) {
  // Who is this user already, and may not change, has nothing to change.
  bool groups_set = setgroups(user.groups.size(), user.groups.data()) == 0;
  if (!groups_set && geteuid() == 0) return false;
  return setresgid(user.gid, user.gid, user.gid) == 0 && setresuid(user.uid, user.uid, user.uid) == 0;
}

}  // namespace plz::init
