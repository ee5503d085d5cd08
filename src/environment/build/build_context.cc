#include "environment/build/build_context.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "environment/build/tar_header.h"
#include "os/file.h"
#include "store/hasher.h"

namespace plz {
namespace {

std::string_view first_names(std::string_view path, size_t count) {
  size_t end = 0;
  for (; count > 0 && end != path.npos; --count) end = path.find('/', end == 0 ? 0 : end + 1);
  return path.substr(0, end);
}

size_t name_count(std::string_view path) { return 1 + std::count(path.begin(), path.end(), '/'); }

Result<std::string> read_link(const std::string& path) {
  char target[4096];
  ssize_t length = readlink(path.c_str(), target, sizeof target);
  if (length < 0) return fail_errno("cannot read the link " + path);
  return std::string(target, static_cast<size_t>(length));
}

class ContextWalk {
 public:
  ContextWalk(const std::string& directory, const BuildSight& sight, const IgnoreRules& rules)
      : directory_(directory),
        sight_(sight),
        rules_(rules),
        sources_(sight.sources.begin(), sight.sources.end()),
        whole_(sight.whole_context) {}

  Result<std::vector<ContextEntry>> entries() {
    if (sight_.sees_nothing()) return std::vector<ContextEntry>();
    PLZ_TRY(walk(""));
    if (leads_through_link_) {
      entries_.clear();
      whole_ = true;
      PLZ_TRY(walk(""));
    }
    std::sort(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    return std::move(entries_);
  }

 private:
  Result<void> walk(const std::string& below) {
    PLZ_ASSIGN(auto names, list_directory(below.empty() ? directory_ : join_path(directory_, below)));
    for (const std::string& name : names) PLZ_TRY(visit(below.empty() ? name : join_path(below, name)));
    return {};
  }

  Result<void> visit(const std::string& path) {
    const std::string full = join_path(directory_, path);
    struct stat status;
    if (lstat(full.c_str(), &status) != 0) return fail_errno("cannot look at " + full);
    bool ignored = rules_.ignores(path);
    ContextEntry entry{.path = path, .mode = status.st_mode & 07777};
    if (S_ISDIR(status.st_mode)) {
      entry.kind = ContextEntry::Kind::directory;
      if (!ignored && is_seen(path)) entries_.push_back(entry);
      bool hopeless = ignored && !rules_.may_include_again();
      return !hopeless && may_hold_seen(path) ? walk(path) : Result<void>();
    }
    if (ignored) return {};
    if (S_ISLNK(status.st_mode)) {
      entry.kind = ContextEntry::Kind::link;
      entry.mode = 0777;
      leads_through_link_ = leads_through_link_ || (!whole_ && is_on_the_way(path));
      PLZ_ASSIGN(entry.target, read_link(full));
    } else if (!S_ISREG(status.st_mode)) {
      return {};
    }
    if (is_seen(path)) entries_.push_back(std::move(entry));
    return {};
  }

  bool is_seen(const std::string& path) const {
    if (whole_) return true;
    return std::any_of(sources_.begin(), sources_.end(),
                       [&](const PathPattern& source) { return source.matches_or_covers(path); });
  }

  // The path is a source, or a directory above one.
  bool is_on_the_way(const std::string& path) const {
    size_t names = name_count(path);
    return std::any_of(sight_.sources.begin(), sight_.sources.end(), [&](const std::string& source) {
      return source.find("**") != source.npos ||
             (name_count(source) >= names && PathPattern(first_names(source, names)).matches(path));
    });
  }

  bool may_hold_seen(const std::string& path) const { return whole_ || is_on_the_way(path) || is_seen(path); }

  const std::string& directory_;
  const BuildSight& sight_;
  const IgnoreRules& rules_;
  const std::vector<PathPattern> sources_;
  bool whole_;
  bool leads_through_link_ = false;
  std::vector<ContextEntry> entries_;
};

Result<Digest> digest_of_file(const std::string& path) {
  PLZ_ASSIGN(UniqueFd file, open_file(path, O_RDONLY | O_NOFOLLOW));
  Hasher hasher;
  std::vector<char> buffer(256 << 10);
  for (;;) {
    PLZ_ASSIGN(size_t size, read_up_to(file.get(), buffer.data(), buffer.size()));
    if (size == 0) return hasher.finish();
    hasher.update({buffer.data(), size});
  }
}

void add_field(Hasher& hasher, std::string_view field) {
  hasher.update(std::to_string(field.size()) + ":");
  hasher.update(field);
}

}  // namespace

Result<std::vector<ContextEntry>> list_context(const std::string& directory, const BuildSight& sight,
                                               const IgnoreRules& rules) {
  return ContextWalk(directory, sight, rules).entries();
}

Result<Digest> digest_of_context(const std::string& directory, const std::vector<ContextEntry>& entries) {
  Hasher hasher;
  for (const ContextEntry& entry : entries) {
    add_field(hasher, entry.path);
    add_field(hasher, std::to_string(static_cast<int>(entry.kind)) + " " + std::to_string(entry.mode));
    if (entry.kind != ContextEntry::Kind::file) {
      add_field(hasher, entry.target);
      continue;
    }
    PLZ_ASSIGN(Digest content, digest_of_file(join_path(directory, entry.path)));
    add_field(hasher, content.view());
  }
  return hasher.finish();
}

ContextArchive::ContextArchive(std::string directory, std::vector<ContextEntry> entries,
                               std::map<std::string, std::string> texts)
    : directory_(std::move(directory)), entries_(std::move(entries)), texts_(std::move(texts)) {
  std::erase_if(entries_, [&](const ContextEntry& entry) { return texts_.contains(entry.path); });
  next_text_ = texts_.begin();
}

Result<size_t> ContextArchive::read(char* buffer, size_t size) {
  for (;;) {
    if (pending_at_ < pending_.size()) {
      size_t count = std::min(size, pending_.size() - pending_at_);
      memcpy(buffer, pending_.data() + pending_at_, count);
      pending_at_ += count;
      return count;
    }
    if (file_left_ > 0) return read_file(buffer, size);
    if (ended_) return 0;
    pending_.clear();
    pending_at_ = 0;
    PLZ_TRY(next_member());
  }
}

Result<void> ContextArchive::next_member() {
  if (next_entry_ < entries_.size()) return open_entry(entries_[next_entry_++]);
  if (next_text_ != texts_.end()) {
    const auto& [path, content] = *next_text_++;
    pending_ = tar_header(TarKind::file, path, "", 0644, content.size()) + content;
    pending_.append(tar_padding(content.size()), '\0');
    return {};
  }
  pending_.assign(2 * kTarBlock, '\0');
  ended_ = true;
  return {};
}

Result<void> ContextArchive::open_entry(const ContextEntry& entry) {
  if (entry.kind != ContextEntry::Kind::file) {
    auto kind = entry.kind == ContextEntry::Kind::link ? TarKind::link : TarKind::directory;
    pending_ = tar_header(kind, entry.path, entry.target, entry.mode, 0);
    return {};
  }
  PLZ_ASSIGN(file_, open_file(join_path(directory_, entry.path), O_RDONLY | O_NOFOLLOW));
  struct stat status;
  if (fstat(file_.get(), &status) != 0) return fail_errno("cannot look at " + entry.path);
  file_left_ = static_cast<uint64_t>(status.st_size);
  file_padding_ = tar_padding(file_left_);
  pending_ = tar_header(TarKind::file, entry.path, "", entry.mode, file_left_);
  return {};
}

Result<size_t> ContextArchive::read_file(char* buffer, size_t size) {
  PLZ_ASSIGN(size_t count, read_up_to(file_.get(), buffer, std::min<uint64_t>(size, file_left_)));
  if (count == 0) return fail(ErrorCode::internal, entries_[next_entry_ - 1].path + " shrank while it was sent");
  file_left_ -= count;
  if (file_left_ == 0) {
    file_.reset();
    pending_.assign(file_padding_, '\0');
    pending_at_ = 0;
  }
  return count;
}

}  // namespace plz
