#include "store/materialise.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/text.h"
#include "os/file.h"
#include "store/materialise/tree_extent.h"
#include "store/materialise/tree_writer.h"

namespace plz {

Result<void> materialise(const Digest& tree, const std::string& directory, const MaterialiseOptions& options,
                         BlobSource& source) {
  PLZ_TRY(make_directories(directory));
  PLZ_ASSIGN(auto names, list_directory(directory));
  if (!names.empty()) return fail(ErrorCode::conflict, printable(directory) + " is not empty");
  PLZ_TRY(measure_tree(tree, source, options.limits, options.stop));
  PLZ_ASSIGN(UniqueFd root, open_file(directory, O_RDONLY | O_DIRECTORY));
  int fd = root.get();
  TreeWriter writer(std::move(root), directory, options, source);
  PLZ_TRY(writer.write(tree));
  struct stat st;
  if (!options.read_only) return {};
  if (fstat(fd, &st) != 0 || fchmod(fd, st.st_mode & 07777 & ~0222u) != 0)
    return fail_errno("cannot make " + printable(directory) + " read-only");
  return {};
}

}  // namespace plz
