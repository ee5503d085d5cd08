#include "store/capture/link_policy.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include <fmt/core.h>

#include "base/text.h"
#include "os/file.h"

namespace plz {
namespace {

constexpr size_t kMostNamed = 3;
constexpr int kMostNested = 20;

bool lies_below(std::string_view path, std::string_view directory) {
  if (directory == "/") return true;
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

// Where a link in the directory `from` leads, both relative to one root, by its text alone. Nullopt: out of the root.
std::optional<std::string> inside(const std::string& from, std::string_view text) {
  if (text.starts_with('/')) return std::nullopt;
  std::vector<std::string_view> parts;
  if (!from.empty()) parts = split(from, '/');
  for (auto part : split(text, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (parts.empty()) {
      return std::nullopt;
    } else {
      parts.pop_back();
    }
  }
  std::string path;
  for (auto part : parts) path = path.empty() ? std::string(part) : join_path(path, part);
  return path;
}

// huggingface_hub's cache: {models,datasets,spaces}--NAME/snapshots/REVISION/… -> …/blobs/HASH of the same NAME.
bool is_hugging_face_link(const std::string& directory, const std::string& target) {
  for (size_t at = 0; at != std::string::npos; at = directory.find('/', at + 1)) {
    const std::string_view name = std::string_view(directory).substr(at + 1);
    const bool is_repository =
        name.starts_with("models--") || name.starts_with("datasets--") || name.starts_with("spaces--");
    if (!is_repository) continue;
    const size_t end = directory.find('/', at + 1);
    if (end == std::string::npos) return false;
    const std::string blobs = directory.substr(0, end) + "/blobs/";
    return std::string_view(directory).substr(end).starts_with("/snapshots/") && target.starts_with(blobs) &&
           target.find('/', blobs.size()) == std::string::npos;
  }
  return false;
}

}  // namespace

struct LinkPolicy::Place {
  std::string root;       // its real path
  std::string directory;  // of the link, below root
  std::string prefix;     // of root, in the captured tree; empty: it is that tree's
};

LinkPolicy::Place LinkPolicy::place_of(const WalkedDirectory& directory) const {
  const WalkedDirectory* followed = nearest_followed(directory);
  if (!followed) return {tree_.real_root, tree_.relative_path(directory), ""};
  return {followed->followed->real_path, tree_.path_below(directory, followed), tree_.relative_path(*followed)};
}

// An absolute link to something that is captured with it would lead past that.
std::string LinkPolicy::stored_target(const Place& place, const std::string& text) const {
  if (!text.starts_with('/')) return text;
  const std::string goal = absolute_path(text, "/");
  const CaptureOptions& options = run_.options();
  auto relative_to = [&](const std::string& root) {
    return std::filesystem::path(goal).lexically_relative(join_path(root, place.directory)).string();
  };
  if (place.prefix.empty() && !options.link_root.empty()) {
    for (const auto& other : options.link_places) {
      if (!lies_below(goal, other)) continue;
      // What was taken from another place into this tree since is linked here.
      const std::string rest = goal.substr(other.size());
      const bool is_here = other != options.link_root && !rest.empty() && path_exists(place.root + rest);
      return std::filesystem::path(is_here ? options.link_root + rest : goal)
          .lexically_relative(join_path(options.link_root, place.directory))
          .string();
    }
  }
  if (lies_below(goal, place.root)) return relative_to(place.root);
  if (place.prefix.empty() && lies_below(goal, tree_.root_path)) return relative_to(tree_.root_path);
  return text;
}

bool LinkPolicy::is_left_out(const std::string& path, bool is_directory) const {
  const CaptureFilter* filter = run_.options().filter;
  if (!filter || path.empty()) return false;
  for (size_t slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1))
    if (filter->judge(std::string_view(path).substr(0, slash), true) == CaptureFilter::Verdict::exclude) return true;
  return filter->judge(path, is_directory) == CaptureFilter::Verdict::exclude;
}

bool LinkPolicy::is_followed(const Place& place, const std::string& text) const {
  switch (run_.options().follow_links) {
    case FollowLinks::never: return false;
    case FollowLinks::outward: return true;
    case FollowLinks::hugging_face: break;
  }
  const std::string directory = join_path(place.root, place.directory);
  return is_hugging_face_link(directory, absolute_path(text, directory));
}

// Nullptr: nothing speaks against it.
const char* LinkPolicy::why_not(const WalkedDirectory& directory, const struct stat& target) const {
  if (S_ISREG(target.st_mode)) return nullptr;
  if (!S_ISDIR(target.st_mode)) return "it is no file and no directory";
  auto is_it = [&](uint64_t device, uint64_t inode) { return target.st_dev == device && target.st_ino == inode; };
  if (is_it(tree_.root_device, tree_.root_inode)) return "it leads round to where it began";
  int nested = 0;
  for (auto at = &directory; at; at = at->parent) {
    if (!at->followed) continue;
    if (is_it(at->followed->device, at->followed->inode)) return "it leads round to where it began";
    if (++nested == kMostNested) return "it lies behind too many other links";
  }
  return nullptr;
}

LinkFate LinkPolicy::decide(const WalkedDirectory& directory, int fd, const std::string& name, const std::string& text,
                            bool says) {
  const Place place = place_of(directory);
  LinkFate fate{.target = stored_target(place, text)};
  auto keep = [&](Reason reason, std::string_view why = {}) {
    if (says) note(reason, tree_.relative_path(directory, name), text, why);
    return fate;
  };
  struct stat status;
  const bool leads_somewhere = fstatat(fd, name.c_str(), &status, AT_NO_AUTOMOUNT) == 0;
  const int error_number = errno;
  if (const auto path = inside(place.directory, fate.target)) {
    const bool lost = leads_somewhere && is_left_out(join_path(place.prefix, *path), S_ISDIR(status.st_mode));
    return lost ? keep(left_out) : fate;
  }
  const bool follows = is_followed(place, text);
  if (!leads_somewhere) {
    const bool is_hidden = error_number == EACCES;
    if (follows && is_hidden)
      run_.fail_with(unreadable_error(error_number, tree_.full_path(directory, name) + " -> " + text));
    if (follows) return keep(not_followed, "it leads to nothing");
    // What leads nowhere here, but out of it, led somewhere for the job.
    return is_hidden || !run_.options().link_root.empty() ? keep(leads_out) : fate;
  }
  if (!follows) return keep(leads_out);
  if (const char* why = why_not(directory, status)) return keep(not_followed, why);
  fate.kind = S_ISDIR(status.st_mode) ? LinkFate::Kind::directory : LinkFate::Kind::file;
  fate.status = status;
  if (fate.kind == LinkFate::Kind::file) return fate;
  char real[PATH_MAX];
  if (!realpath(join_path(join_path(place.root, place.directory), name).c_str(), real)) {
    run_.fail_with(unreadable_error(errno, tree_.full_path(directory, name)));
    return fate;
  }
  fate.real_path = real;
  return fate;
}

void LinkPolicy::note(Reason reason, const std::string& path, const std::string& text, std::string_view why) {
  std::string words = fmt::format("{} -> {}", printable(path), printable(text));
  if (!why.empty()) words += fmt::format(" ({})", why);
  std::lock_guard lock(mutex_);
  Noted& noted = noted_[reason];
  ++noted.count;
  noted.first.insert(std::move(words));
  if (noted.first.size() > kMostNamed) noted.first.erase(std::prev(noted.first.end()));
}

void LinkPolicy::warn() {
  std::lock_guard lock(mutex_);
  constexpr std::string_view kOne[] = {"1 link leads out of what is captured, and stays a link",
                                       "1 link leads to something that is left out",
                                       "1 link is not followed, and stays a link"};
  constexpr std::string_view kMany[] = {"links lead out of what is captured, and stay links",
                                        "links lead to what is left out", "links are not followed, and stay links"};
  for (size_t reason = 0; reason < noted_.size(); ++reason) {
    const Noted& noted = noted_[reason];
    if (noted.count == 0) continue;
    std::string sentence =
        noted.count == 1 ? std::string(kOne[reason]) : fmt::format("{} {}", noted.count, kMany[reason]);
    std::string_view before = ": ";
    for (const auto& words : noted.first) {
      sentence.append(before).append(words);
      before = ", ";
    }
    if (noted.count > noted.first.size()) sentence += fmt::format(" and {} more", noted.count - noted.first.size());
    if (reason == leads_out && run_.options().follow_links != FollowLinks::never)
      sentence += " (\"follow_links\": true captures what is there)";
    run_.warn_of_links(sentence + ".");
  }
}

}  // namespace plz
