#include "runtime/sandbox/path_covers.h"

#include <algorithm>

namespace plz {
namespace {

int strictness(CoverKind kind) {
  switch (kind) {
    case CoverKind::hidden: return 0;
    case CoverKind::private_directory: return 1;
    case CoverKind::writable: return 2;
    case CoverKind::visible: return 3;
  }
  return 3;
}

bool lies_below(const std::string& path, const std::string& directory) {
  return directory == "/" ||
         (path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/');
}

// '/' before every other byte, so that what is below a directory follows it at once.
bool comes_before(const PathCover& a, const PathCover& b) {
  auto rank = [](char c) { return c == '/' ? 0 : static_cast<unsigned char>(c); };
  if (a.path != b.path)
    return std::lexicographical_compare(a.path.begin(), a.path.end(), b.path.begin(), b.path.end(),
                                        [rank](char x, char y) { return rank(x) < rank(y); });
  return strictness(a.kind) < strictness(b.kind);
}

// The deepest of the planned above the path.
const PathCover* cover_above(const std::vector<PathCover>& planned, const std::string& path) {
  auto at = std::find_if(planned.rbegin(), planned.rend(),
                         [&](const PathCover& cover) { return lies_below(path, cover.path); });
  return at == planned.rend() ? nullptr : &*at;
}

bool changes_something(const PathCover& cover, const PathCover* above) {
  bool host_is_shown = !above || above->kind == CoverKind::visible;
  switch (cover.kind) {
    case CoverKind::hidden: return host_is_shown;
    case CoverKind::visible: return !host_is_shown;
    default: return true;
  }
}

}  // namespace

std::vector<PathCover> plan_covers(std::vector<PathCover> covers) {
  std::sort(covers.begin(), covers.end(), comes_before);
  auto same_path = [](const PathCover& a, const PathCover& b) { return a.path == b.path; };
  covers.erase(std::unique(covers.begin(), covers.end(), same_path), covers.end());
  std::vector<PathCover> planned;
  for (auto& cover : covers) {
    if (changes_something(cover, cover_above(planned, cover.path))) planned.push_back(std::move(cover));
  }
  return planned;
}

}  // namespace plz
