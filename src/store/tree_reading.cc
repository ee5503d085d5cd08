#include <algorithm>

#include "base/text.h"
#include "os/file.h"
#include "store/chunker.h"
#include "store/hasher.h"
#include "store/materialise.h"
#include "store/materialise/tree_extent.h"

namespace plz {
namespace {

constexpr size_t kTreesAtOnce = 256;
constexpr size_t kChunksAtOnce = 32;

Result<Tree> decode_named(const Digest& digest, std::string_view bytes) {
  auto tree = decode_tree(bytes);
  if (!tree) return fail(std::move(tree).error().with_context(digest.hex()));
  return tree;
}

Result<std::string> fetch_blob(const Digest& digest, BlobSource& source) {
  std::string blob;
  PLZ_TRY(source.fetch({&digest, 1}, [&](size_t, std::string_view bytes) -> Result<void> {
    blob = bytes;
    return {};
  }));
  return blob;
}

// The directories of one level of the listing.
using Level = std::vector<std::pair<Digest, std::string>>;

Result<void> list_level(std::span<const std::pair<Digest, std::string>> level, BlobSource& source,
                        std::vector<ListedEntry>& out, Level& below) {
  std::vector<Digest> digests;
  for (const auto& [digest, path] : level) digests.push_back(digest);
  return source.fetch(digests, [&](size_t index, std::string_view bytes) -> Result<void> {
    PLZ_ASSIGN(Tree tree, decode_named(digests[index], bytes));
    for (TreeEntry& entry : tree.entries) {
      std::string path = join_path(level[index].second, entry.name);
      if (entry.kind == EntryKind::directory) below.emplace_back(entry.digest, path);
      out.push_back({std::move(path), std::move(entry)});
    }
    return {};
  });
}

Result<void> read_chunked(const TreeEntry& entry, BlobSource& source,
                          const std::function<Result<void>(std::string_view)>& write) {
  PLZ_ASSIGN(std::string list, fetch_blob(entry.digest, source));
  PLZ_ASSIGN(auto chunks, decode_chunk_list(list));
  for (size_t from = 0; from < chunks.size(); from += kChunksAtOnce) {
    std::vector<Digest> digests;
    for (size_t i = from; i < std::min(from + kChunksAtOnce, chunks.size()); ++i) digests.push_back(chunks[i].digest);
    PLZ_TRY(source.fetch(digests, [&](size_t, std::string_view bytes) { return write(bytes); }));
  }
  return {};
}

}  // namespace

Result<Tree> fetch_tree(const Digest& tree, BlobSource& source) {
  PLZ_ASSIGN(std::string bytes, fetch_blob(tree, source));
  return decode_named(tree, bytes);
}

Result<std::optional<TreeEntry>> find_entry(const Digest& tree, std::string_view path, BlobSource& source) {
  TreeEntry here{.kind = EntryKind::directory, .mode = 0755, .digest = tree};
  for (std::string_view name : split(path, '/')) {
    if (name.empty()) continue;
    if (here.kind != EntryKind::directory) return std::nullopt;
    PLZ_ASSIGN(Tree below, fetch_tree(here.digest, source));
    auto found = std::lower_bound(below.entries.begin(), below.entries.end(), name,
                                  [](const TreeEntry& entry, std::string_view wanted) { return entry.name < wanted; });
    if (found == below.entries.end() || found->name != name) return std::nullopt;
    here = std::move(*found);
  }
  return here;
}

Result<std::vector<ListedEntry>> list_tree(const Digest& tree, BlobSource& source) {
  // A few directories that share each other can be more than memory holds.
  PLZ_TRY(measure_tree(tree, source, {}));
  std::vector<ListedEntry> entries;
  Level level = {{tree, ""}};
  while (!level.empty()) {
    Level below;
    std::span<const Level::value_type> rest(level);
    while (!rest.empty()) {
      auto part = rest.first(std::min(rest.size(), kTreesAtOnce));
      rest = rest.subspan(part.size());
      PLZ_TRY(list_level(part, source, entries, below));
    }
    level = std::move(below);
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return entries;
}

Result<void> read_entry(const TreeEntry& entry, BlobSource& source,
                        const std::function<Result<void>(std::string_view)>& write) {
  if (entry.kind == EntryKind::chunked_file) return read_chunked(entry, source, write);
  if (entry.kind == EntryKind::file)
    return source.fetch({&entry.digest, 1}, [&](size_t, std::string_view bytes) { return write(bytes); });
  return fail(ErrorCode::invalid, printable(entry.name) + " is not a file");
}

}  // namespace plz
