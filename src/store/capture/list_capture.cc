#include <algorithm>

#include "store/capture.h"
#include "store/capture/capture_run.h"
#include "store/capture/directory_walk.h"
#include "store/capture/open_root.h"

namespace plz {

Result<CaptureListing> list_capture(const std::string& root, const CaptureOptions& options) {
  CaptureRun run(options);
  WalkedTree tree;
  PLZ_TRY(open_root(root, tree));
  StatCache no_cache;
  std::vector<std::string> left_out;
  PLZ_TRY(DirectoryWalk(run, no_cache, tree).walk(&left_out));
  CaptureListing listing;
  for (const WalkedDirectory& directory : tree.directories) {
    if (directory.left_out) continue;
    for (const WalkedEntry& entry : directory.entries) {
      if (entry.state == ContentState::left_out) continue;
      std::string_view name(directory.name_of(entry), entry.name_bytes);
      if (!tree.captured_name.empty()) name = tree.captured_name;
      listing.captured.push_back({tree.relative_path(directory, name), entry.kind == EntryKind::directory});
    }
  }
  for (auto& path : left_out) listing.left_out.push_back({std::move(path), false});
  for (auto& file : listing.left_out) file.is_directory = file.path.ends_with('/');
  auto by_path = [](const CapturedFile& a, const CapturedFile& b) { return a.path < b.path; };
  std::sort(listing.captured.begin(), listing.captured.end(), by_path);
  std::sort(listing.left_out.begin(), listing.left_out.end(), by_path);
  return listing;
}

}  // namespace plz
