#include "cli/output_retrieval.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "os/fd.h"
#include "os/file.h"
#include "os/own_process.h"
#include "store/materialise.h"

namespace plz {
namespace {

// What is being built beside its final place. Removed when it was not moved there.
class Scaffold {
 public:
  explicit Scaffold(std::string destination) : destination_(std::move(destination)) {}
  ~Scaffold() {
    if (!path_.empty()) (void)remove_tree(path_);
  }
  Scaffold(const Scaffold&) = delete;
  Scaffold& operator=(const Scaffold&) = delete;

  // Makes the directories above, and a directory beside the destination.
  Result<void> make() {
    const std::string parent = parent_path(destination_);
    PLZ_TRY(make_directories(parent));
    std::string pattern = join_path(parent, fmt::format(".{}.plz-XXXXXX", base_name(destination_).substr(0, 200)));
    if (!mkdtemp(pattern.data())) return fail_errno("cannot create a directory in " + parent);
    path_ = std::move(pattern);
    return {};
  }

  // Within it, what is built has the name "new".
  std::string content() const { return join_path(path_, "new"); }

  Result<void> move_into_place(bool replace) {
    if (replace && path_exists(destination_)) {
      const std::string old = join_path(path_, "old");
      if (rename(destination_.c_str(), old.c_str()) != 0) return fail_errno("cannot move away " + destination_);
    }
    // Takes the place of an empty directory, and of nothing else.
    if (rename(content().c_str(), destination_.c_str()) != 0) return fail_errno("cannot create " + destination_);
    return {};
  }

 private:
  const std::string destination_;
  std::string path_;
};

Result<void> write_file(const TreeEntry& entry, const std::string& path, BlobSource& source) {
  PLZ_ASSIGN(UniqueFd fd, open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  PLZ_TRY(read_entry(entry, source, [&](std::string_view bytes) { return write_all(fd.get(), bytes); }));
  if (fchmod(fd.get(), entry.mode) != 0) return fail_errno("cannot set the mode of " + path);
  return {};
}

Result<void> write_entry(const TreeEntry& entry, const std::string& path, BlobSource& source) {
  switch (entry.kind) {
    case EntryKind::file:
    case EntryKind::chunked_file: return write_file(entry, path, source);
    case EntryKind::symlink:
      if (symlink(entry.target.c_str(), path.c_str()) != 0) return fail_errno("cannot create the link " + path);
      return {};
    case EntryKind::directory: break;
  }
  PLZ_TRY(materialise(entry.digest, path, MaterialiseOptions{}, source));
  // A directory that cannot be written could not be moved into place: the mode comes last.
  return {};
}

}  // namespace

Result<void> refuse_occupied(const std::string& path) {
  struct stat status;
  if (lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return fail_errno("cannot look at " + path);
  }
  if (S_ISDIR(status.st_mode)) {
    PLZ_ASSIGN(const auto names, list_directory(path));
    if (names.empty()) return {};
  }
  return fail(ErrorCode::conflict, printable(path) + " exists already",
              "move it away, or name another place with --output-dir");
}

Result<void> retrieve_entry(const TreeEntry& entry, const std::string& path, bool replace, BlobSource& source) {
  if (!replace) PLZ_TRY(refuse_occupied(path));
  Scaffold scaffold(path);
  PLZ_TRY(scaffold.make());
  if (auto written = write_entry(entry, scaffold.content(), source); !written)
    return fail(std::move(written).error().with_context("retrieving it into " + printable(path)));
  if (entry.kind != EntryKind::directory && !replace && path_exists(path) && rmdir(path.c_str()) != 0)
    return fail_errno("cannot replace the empty directory " + path);
  PLZ_TRY(scaffold.move_into_place(replace));
  if (entry.kind == EntryKind::directory && chmod(path.c_str(), entry.mode) != 0)
    return fail_errno("cannot set the mode of " + path);
  return {};
}

Result<void> retrieve_output(const std::optional<Digest>& tree, const std::string& directory, BlobSource& source) {
  if (tree) return retrieve_tree(*tree, directory, false, source);
  PLZ_TRY(refuse_occupied(directory));
  return make_directories(directory);
}

Result<void> retrieve_tree(const Digest& tree, const std::string& directory, bool replace, BlobSource& source) {
  TreeEntry entry;
  entry.kind = EntryKind::directory;
  entry.mode = 0777 & ~current_umask();  // the person's own directory, as any that they make
  entry.digest = tree;
  return retrieve_entry(entry, directory, replace, source);
}

Result<std::vector<std::string>> paths_in_tree(const Digest& tree, BlobSource& source) {
  PLZ_ASSIGN(auto entries, list_tree(tree, source));
  std::vector<std::string> paths;
  paths.reserve(entries.size());
  for (auto& listed : entries) paths.push_back(std::move(listed.path));
  return paths;
}

}  // namespace plz
