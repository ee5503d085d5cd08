#include "cli/tree_differences.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/text.h"
#include "store/materialise.h"

namespace plz {
namespace {

bool is_directory(const TreeEntry& entry) { return entry.kind == EntryKind::directory; }

std::string_view kind_name(EntryKind kind) {
  switch (kind) {
    case EntryKind::file:
    case EntryKind::chunked_file: return "a file";
    case EntryKind::symlink: return "a link";
    case EntryKind::directory: break;
  }
  return "a directory";
}

bool have_equal_content(const TreeEntry& a, const TreeEntry& b) {
  return a.kind == b.kind && a.digest == b.digest && a.target == b.target;
}

class Walk {
 public:
  explicit Walk(BlobSource& source) : source_(source) {}

  Result<void> compare(const std::string& prefix, const Tree& before, const Tree& after) {
    size_t i = 0, j = 0;
    while (i < before.entries.size() || j < after.entries.size()) {
      const TreeEntry* first = i < before.entries.size() ? &before.entries[i] : nullptr;
      const TreeEntry* second = j < after.entries.size() ? &after.entries[j] : nullptr;
      if (first && second && first->name == second->name) {
        PLZ_TRY(compare_entries(prefix + first->name, *first, *second));
        ++i, ++j;
      } else if (first && (!second || first->name < second->name)) {
        PLZ_TRY(note_one_sided(prefix + first->name, *first, true));
        ++i;
      } else {
        PLZ_TRY(note_one_sided(prefix + second->name, *second, false));
        ++j;
      }
    }
    return {};
  }

  std::vector<TreeDifference> take() {
    std::sort(differences_.begin(), differences_.end(),
              [](const TreeDifference& a, const TreeDifference& b) { return a.path < b.path; });
    return std::move(differences_);
  }

 private:
  Result<void> compare_entries(const std::string& path, const TreeEntry& before, const TreeEntry& after) {
    const bool directories = is_directory(before) && is_directory(after);
    if (before.mode != after.mode || (!directories && !have_equal_content(before, after)))
      differences_.push_back({path, before, after});
    // Where a directory took the place of something else, or the other way round, all in it is of one side.
    if (is_directory(before) != is_directory(after)) {
      const bool was_directory = is_directory(before);
      return note_below(path, was_directory ? before : after, was_directory);
    }
    if (!directories || before.digest == after.digest) return {};
    PLZ_ASSIGN(const Tree first, fetch_tree(before.digest, source_));
    PLZ_ASSIGN(const Tree second, fetch_tree(after.digest, source_));
    return compare(path + "/", first, second);
  }

  Result<void> note_one_sided(const std::string& path, const TreeEntry& entry, bool only_before) {
    note(path, entry, only_before);
    return is_directory(entry) ? note_below(path, entry, only_before) : Result<void>();
  }

  Result<void> note_below(const std::string& path, const TreeEntry& directory, bool only_before) {
    PLZ_ASSIGN(const auto below, list_tree(directory.digest, source_));
    for (const ListedEntry& listed : below) note(path + "/" + listed.path, listed.entry, only_before);
    return {};
  }

  void note(std::string path, const TreeEntry& entry, bool only_before) {
    TreeDifference& difference = differences_.emplace_back();
    difference.path = std::move(path);
    (only_before ? difference.before : difference.after) = entry;
  }

  BlobSource& source_;
  std::vector<TreeDifference> differences_;
};

}  // namespace

Result<std::vector<TreeDifference>> tree_differences(const Tree& before, const Tree& after, BlobSource& source) {
  Walk walk(source);
  PLZ_TRY(walk.compare("", before, after));
  return walk.take();
}

Result<std::vector<TreeDifference>> tree_differences(const Digest& before, const Digest& after, BlobSource& source) {
  if (before == after) return std::vector<TreeDifference>();
  PLZ_ASSIGN(const Tree first, fetch_tree(before, source));
  PLZ_ASSIGN(const Tree second, fetch_tree(after, source));
  return tree_differences(first, second, source);
}

std::string difference_sentence(const TreeDifference& difference) {
  const std::string path = printable(difference.path);
  if (!difference.after) return path + ": only before";
  if (!difference.before) return path + ": only now";
  const TreeEntry &before = *difference.before, &after = *difference.after;
  if (kind_name(before.kind) != kind_name(after.kind))
    return fmt::format("{}: {} before, {} now", path, kind_name(before.kind), kind_name(after.kind));
  if (before.kind == EntryKind::symlink)
    return fmt::format("{}: leads to {} before, to {} now", path, printable(before.target), printable(after.target));
  if (!have_equal_content(before, after) && !is_directory(before))
    return fmt::format("{}: other content, {} bytes before, {} now", path, before.bytes, after.bytes);
  return fmt::format("{}: mode {:04o} before, {:04o} now", path, before.mode, after.mode);
}

}  // namespace plz
