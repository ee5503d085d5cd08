#include "store/materialise/tree_extent.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include <fmt/core.h>

#include "base/text.h"

namespace plz {
namespace {

constexpr size_t kDirectoriesAtOnce = 256;

uint64_t saturating_sum(uint64_t a, uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }

std::string counted(uint64_t number) { return number == UINT64_MAX ? "uncountably many" : std::to_string(number); }

class ExtentCounter {
 public:
  ExtentCounter(BlobSource& source, const MaterialiseLimits& limits, const std::stop_token& stop)
      : source_(source), limits_(limits), stop_(stop) {}

  Result<TreeExtent> count(const Digest& tree) {
    find(tree);
    uint64_t levels = 0;
    for (size_t level = 0; level < digests_.size();) {
      const size_t below = digests_.size();
      // Found at this level at the earliest: counted in full it can only be deeper.
      if (levels++ > limits_.depth) return fail_depth();
      for (; level < below; level = std::min(below, level + kDirectoriesAtOnce))
        PLZ_TRY(fetch(level, std::min(below, level + kDirectoriesAtOnce)));
    }
    const TreeExtent& extent = sum_up();
    PLZ_TRY(check(extent));
    return extent;
  }

 private:
  struct Directory {
    TreeExtent extent;               // at first of what lies directly in it
    std::vector<uint32_t> children;  // each as often as it occurs
    size_t next = 0;                 // of the children, to be summed up
  };

  uint32_t find(const Digest& digest) {
    auto [known, is_new] = indices_.try_emplace(digest, static_cast<uint32_t>(digests_.size()));
    if (is_new) {
      digests_.push_back(digest);
      directories_.emplace_back();
    }
    return known->second;
  }

  Result<void> fetch(size_t from, size_t to) {
    const std::vector<Digest> wanted(digests_.begin() + static_cast<std::ptrdiff_t>(from),
                                     digests_.begin() + static_cast<std::ptrdiff_t>(to));
    return source_.fetch(wanted, [&](size_t index, std::string_view bytes) -> Result<void> {
      if (stop_.stop_requested()) return fail(ErrorCode::cancelled, "stopped while its files were counted");
      auto tree = decode_tree(bytes);
      if (!tree) return fail(std::move(tree).error().with_context(wanted[index].hex()));
      for (const TreeEntry& entry : tree->entries) add(static_cast<uint32_t>(from + index), entry);
      return {};
    });
  }

  void add(uint32_t index, const TreeEntry& entry) {
    if (entry.kind == EntryKind::directory) {
      const uint32_t child = find(entry.digest);
      directories_[index].children.push_back(child);
    } else if (entry.kind != EntryKind::symlink) {
      directories_[index].extent.bytes = saturating_sum(directories_[index].extent.bytes, entry.bytes);
    }
    ++directories_[index].extent.entries;
  }

  // Children before parents. Digests see to it that no directory lies in itself.
  const TreeExtent& sum_up() {
    std::vector<uint32_t> path = {0};
    std::vector<bool> is_done(directories_.size());
    while (!path.empty()) {
      Directory& directory = directories_[path.back()];
      if (directory.next == directory.children.size()) {
        is_done[path.back()] = true;
        path.pop_back();
        continue;
      }
      const uint32_t child = directory.children[directory.next];
      if (!is_done[child]) {
        path.push_back(child);
        continue;
      }
      const TreeExtent& below = directories_[child].extent;
      directory.extent.entries = saturating_sum(directory.extent.entries, below.entries);
      directory.extent.bytes = saturating_sum(directory.extent.bytes, below.bytes);
      directory.extent.depth = std::max(directory.extent.depth, below.depth + 1);
      ++directory.next;
    }
    return directories_[0].extent;
  }

  tl::unexpected<Error> fail_depth() const {
    return fail(ErrorCode::invalid,
                fmt::format("its directories lie more than {} deep in each other, the worker's limit (tree-depth)",
                            limits_.depth));
  }

  Result<void> check(const TreeExtent& extent) const {
    if (extent.depth > limits_.depth) return fail_depth();
    if (extent.entries > limits_.entries)
      return fail(ErrorCode::invalid,
                  fmt::format("it has {} files and directories, more than the worker's limit (tree-entries) of {}",
                              counted(extent.entries), limits_.entries));
    if (extent.bytes > limits_.bytes)
      return fail(ErrorCode::invalid,
                  fmt::format("its files have {} in all, more than the worker's limit (tree-bytes) of {}",
                              human_bytes(extent.bytes), human_bytes(limits_.bytes)));
    return {};
  }

  BlobSource& source_;
  const MaterialiseLimits& limits_;
  const std::stop_token& stop_;
  std::unordered_map<Digest, uint32_t> indices_;
  std::vector<Digest> digests_;  // in the order in which they were found, the root first
  std::vector<Directory> directories_;
};

}  // namespace

Result<TreeExtent> measure_tree(const Digest& tree, BlobSource& source, const MaterialiseLimits& limits,
                                const std::stop_token& stop) {
  auto counted = ExtentCounter(source, limits, stop).count(tree);
  if (counted || counted.error().code != ErrorCode::invalid) return counted;
  return fail(std::move(counted).error().with_context("the tree " + tree.hex()));
}

}  // namespace plz
