#include "worker/download_links.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "os/file.h"
#include "runtime/runtime.h"

namespace plz {
namespace {

// What they keep is named by a digest, an address or a version; none decides by the time of a job's own file.
constexpr std::string_view kSharedDownloads[] = {
    "huggingface/hub", "huggingface/xet", "torch/hub", "pip", "uv", "clip", "whisper", "kagglehub", "modelscope/hub"};

bool is_there(int directory, std::string_view name) {
  struct stat status {};
  return fstatat(directory, std::string(name).c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<UniqueFd> make_beneath(int root, std::string_view path) {
  UniqueFd here(openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  while (here && !path.empty()) {
    const std::string name(path.substr(0, path.find('/')));
    path.remove_prefix(std::min(name.size() + 1, path.size()));
    if (mkdirat(here.get(), name.c_str(), 0755) != 0 && errno != EEXIST) return fail_errno("cannot make " + name);
    here = UniqueFd(openat(here.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  }
  if (!here) return fail_errno("cannot open a directory of the job's cache");
  return here;
}

}  // namespace

Result<void> link_downloads(const std::string& cache, const std::string& downloads) {
  PLZ_ASSIGN(const UniqueFd from, open_file(cache, O_RDONLY | O_DIRECTORY));
  PLZ_ASSIGN(const UniqueFd to, open_file(downloads, O_RDONLY | O_DIRECTORY));
  for (std::string_view name : kSharedDownloads) {
    if (!is_there(to.get(), name)) PLZ_TRY(make_beneath(to.get(), name));
    if (is_there(from.get(), name)) continue;
    const size_t slash = name.rfind('/');
    PLZ_ASSIGN(const UniqueFd parent, make_beneath(from.get(), slash == name.npos ? "" : name.substr(0, slash)));
    const std::string link(slash == name.npos ? name : name.substr(slash + 1));
    const std::string target = join_path(kJobDownloadsPath, name);
    if (symlinkat(target.c_str(), parent.get(), link.c_str()) != 0 && errno != EEXIST)
      return fail_errno("cannot link " + link + " in the job's cache");
  }
  return {};
}

}  // namespace plz
