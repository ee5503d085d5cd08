#include "os/trusted_file.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include <fmt/core.h>

#include "base/text.h"
#include "os/fd.h"
#include "os/file.h"

namespace plz {
namespace {

constexpr int kMostLinks = 40;  // as the kernel

std::string real_path(const std::string& path) {
  std::unique_ptr<char, decltype(&free)> real(realpath(path.c_str(), nullptr), free);
  return real ? real.get() : path;
}

bool covers(std::string_view safe, std::string_view directory) {
  if (safe == "*" || safe == directory) return true;
  if (!safe.ends_with("/*")) return false;
  safe.remove_suffix(1);  // with the slash: /a/* is not /ab
  return directory.starts_with(safe) || directory == safe.substr(0, safe.size() - 1);
}

std::string real_path_of_safe(const std::string& safe) {
  if (safe == "*" || safe == "/*") return safe;
  if (safe.ends_with("/*")) return real_path(safe.substr(0, safe.size() - 2)) + "/*";
  return real_path(safe);
}

bool is_safe(const std::string& path, const FileTrust& trust) {
  if (trust.safe_directories.empty()) return false;
  const std::string directory = parent_path(path), real = real_path(directory);
  return std::any_of(trust.safe_directories.begin(), trust.safe_directories.end(), [&](const std::string& safe) {
    return covers(safe, directory) || covers(real_path_of_safe(safe), real);
  });
}

std::string user_name(uid_t uid) {
  const passwd* entry = getpwuid(uid);
  return entry ? fmt::format("{} (uid {})", printable(entry->pw_name), uid) : fmt::format("uid {}", uid);
}

// The way to a file, link by link, by descriptors.
class TrustedWay {
 public:
  TrustedWay(const std::string& path, const FileTrust& trust)
      : path_(path), trust_(trust), at_(path), name_(base_name(path)) {}

  // No descriptor: there is no file. It is of O_PATH.
  Result<UniqueFd> find() {
    directory_ = UniqueFd(open(parent_path(path_).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    for (int links = 0; directory_; ++links) {
      UniqueFd entry(openat(directory_.get(), name_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
      if (!entry) break;
      if (fstat(entry.get(), &found_) != 0) return fail_errno("cannot look at " + printable(at_));
      PLZ_TRY(check());
      if (!S_ISLNK(found_.st_mode)) return entry;
      if (links == kMostLinks) return fail(errno_error(ELOOP, "cannot open " + printable(path_)));
      if (is_magic(entry)) return open_behind_magic();
      PLZ_TRY(follow(entry));
    }
    if (errno == ENOENT || errno == ENOTDIR) return UniqueFd();
    return fail_errno("cannot open " + printable(path_));
  }

  // What find() found, to be read.
  Result<UniqueFd> open_found() const {
    if (magic_) return UniqueFd(openat(directory_.get(), name_.c_str(), O_RDONLY | O_CLOEXEC));
    // A fifo in its place would make us wait.
    const int waits = S_ISREG(found_.st_mode) ? O_NONBLOCK : 0;
    UniqueFd fd(openat(directory_.get(), name_.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | waits));
    struct stat opened;
    if (!fd || fstat(fd.get(), &opened) != 0) return fail_errno("cannot open " + printable(path_));
    if (opened.st_dev == found_.st_dev && opened.st_ino == found_.st_ino) return fd;
    return fail(ErrorCode::conflict, printable(path_) + " was replaced while it was opened", "try again");
  }

 private:
  // Descriptors below /proc look like links, and their texts lead nowhere.
  static bool is_magic(const UniqueFd& link) {
    struct statfs system;
    return fstatfs(link.get(), &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
  }

  Result<UniqueFd> open_behind_magic() {
    UniqueFd entry(openat(directory_.get(), name_.c_str(), O_PATH | O_CLOEXEC));
    if (!entry || fstat(entry.get(), &found_) != 0) return fail_errno("cannot open " + printable(path_));
    magic_ = true;
    PLZ_TRY(check());
    return entry;
  }

  Result<void> follow(const UniqueFd& link) {
    char text[PATH_MAX];
    const ssize_t size = readlinkat(link.get(), "", text, sizeof text);
    if (size < 0) return fail_errno("cannot read the link " + printable(at_));
    const std::string target(text, static_cast<size_t>(size));
    directory_ = UniqueFd(openat(directory_.get(), parent_path(target).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    name_ = base_name(target);
    at_ = absolute_path(target, parent_path(at_));
    return {};
  }

  Result<void> check() const {
    if (std::find(trust_.owners.begin(), trust_.owners.end(), found_.st_uid) == trust_.owners.end())
      return refuse(fmt::format("belongs to {}, not to you", user_name(found_.st_uid)));
    if (magic_) return {};
    if (S_ISREG(found_.st_mode) && (found_.st_mode & S_IWOTH)) return refuse("can be changed by everybody");
    struct stat directory;
    if (fstat(directory_.get(), &directory) != 0) return fail_errno("cannot look at " + printable(parent_path(at_)));
    if ((directory.st_mode & S_IWOTH) && !(directory.st_mode & S_ISVTX))
      return refuse("lies in a directory where everybody can put another in its place");
    return {};
  }

  tl::unexpected<Error> refuse(const std::string& why) const {
    std::string by_way = at_ == path_ ? "" : fmt::format(" (by the link {})", printable(path_));
    std::string hint = "have it removed, or made yours (chown, chmod)";
    if (!trust_.allowed_by.empty())
      hint += fmt::format("; if you trust it all the same, add \"{}\" to {}", printable(parent_path(path_)),
                          trust_.allowed_by);
    return fail(ErrorCode::invalid, fmt::format("{}{} {}: nothing of it is used", printable(at_), by_way, why),
                std::move(hint));
  }

  const std::string& path_;
  const FileTrust& trust_;
  std::string at_;  // as far as links were followed, for messages
  UniqueFd directory_;
  std::string name_;  // in directory_
  struct stat found_ = {};
  bool magic_ = false;
};

Result<std::optional<std::string>> read_whole(int fd, const std::string& path, uint64_t limit) {
  PLZ_ASSIGN(std::string text, read_open_file(fd, path, limit));
  return std::optional(std::move(text));
}

}  // namespace

std::vector<uid_t> trusted_owners(std::string_view sudo_uid) {
  std::vector<uid_t> owners{0};
  if (const uid_t user = geteuid()) {
    owners.push_back(user);
    return owners;
  }
  uid_t caller = 0;
  const auto [end, error] = std::from_chars(sudo_uid.data(), sudo_uid.data() + sudo_uid.size(), caller);
  if (error == std::errc() && end == sudo_uid.data() + sudo_uid.size() && caller != 0) owners.push_back(caller);
  return owners;
}

Result<std::optional<std::string>> read_trusted_file(const std::string& path, const FileTrust& trust, uint64_t limit) {
  if (is_safe(path, trust)) return read_file_if_exists(path, limit);
  TrustedWay way(path, trust);
  PLZ_ASSIGN(const UniqueFd found, way.find());
  if (!found) return std::nullopt;
  PLZ_ASSIGN(const UniqueFd fd, way.open_found());
  return read_whole(fd.get(), path, limit);
}

Result<void> check_trusted_file(const std::string& path, const FileTrust& trust) {
  if (is_safe(path, trust)) return {};
  PLZ_ASSIGN(const UniqueFd found, TrustedWay(path, trust).find());
  return {};
}

}  // namespace plz
