#include "store/materialise/tree_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include <fmt/core.h>

#include "base/text.h"
#include "base/threads.h"
#include "os/beneath.h"
#include "os/file.h"
#include "store/materialise/sparse_write.h"

namespace plz {
namespace {

constexpr size_t kTreesAtOnce = 256;
constexpr size_t kFilesAtOnce = 256;
constexpr uint64_t kBytesAtOnce = 16u << 20;
constexpr size_t kListsAtOnce = 64;
constexpr uint32_t kModeWhileWriting = 0700;

size_t thread_count(int wanted) {
  if (wanted > 0) return static_cast<size_t>(wanted);
  return std::clamp<size_t>(std::thread::hardware_concurrency(), 2, 8);
}

// Runs tasks 0 … count-1 on several threads; the first error ends it.
Result<void> run_tasks(size_t threads, size_t count, const std::function<Result<void>(size_t)>& task) {
  std::atomic<size_t> next = 0;
  std::atomic<bool> failed = false;
  std::mutex mutex;
  Result<void> outcome;
  auto work = [&] {
    for (size_t i = next++; i < count && !failed; i = next++) {
      auto result = task(i);
      if (result || failed.exchange(true)) continue;
      std::lock_guard lock(mutex);
      outcome = std::move(result);
    }
  };
  run_on_threads(std::min(threads, count), work);
  return outcome;
}

}  // namespace

TreeWriter::TreeWriter(UniqueFd root, std::string root_path, const MaterialiseOptions& options, BlobSource& source)
    : root_(std::move(root)), root_path_(std::move(root_path)), options_(options), source_(source) {}

Result<void> TreeWriter::write(const Digest& tree) {
  PLZ_TRY(make_directories_and_links(tree));
  PLZ_TRY(fetch_chunk_lists());
  PLZ_TRY(write_files());
  return set_directory_modes();
}

Result<void> TreeWriter::make_directories_and_links(const Digest& tree) {
  directories_.push_back({tree, "", 0});
  for (size_t from = 0; from < directories_.size();) {
    size_t to = std::min(directories_.size(), from + kTreesAtOnce);
    PLZ_TRY(take_trees(from, to));
    from = to;
  }
  return {};
}

Result<void> TreeWriter::take_trees(size_t from, size_t to) {
  std::vector<Digest> digests;
  for (size_t i = from; i < to; ++i) digests.push_back(directories_[i].tree);
  return source_.fetch(digests, [&](size_t index, std::string_view bytes) -> Result<void> {
    auto tree = decode_tree(bytes);
    if (!tree) return fail(std::move(tree).error().with_context(digests[index].hex()));
    PLZ_TRY(go_on());
    auto directory = static_cast<uint32_t>(from + index);
    PLZ_ASSIGN(UniqueFd fd, open_directory(directory));
    for (TreeEntry& entry : tree->entries) PLZ_TRY(take_entry(directory, fd.get(), std::move(entry)));
    return {};
  });
}

Result<void> TreeWriter::take_entry(uint32_t directory, int fd, TreeEntry entry) {
  switch (entry.kind) {
    case EntryKind::directory: return make_directory(directory, fd, entry);
    case EntryKind::symlink:
      if (symlinkat(entry.target.c_str(), fd, entry.name.c_str()) != 0) return fail_writing(directory, entry.name);
      return {};
    case EntryKind::file: small_files_.push_back({directory, std::move(entry)}); return {};
    case EntryKind::chunked_file: {
      LargeFile& file = large_files_.emplace_back();
      file.directory = directory;
      file.entry = std::move(entry);
      return {};
    }
  }
  return {};
}

Result<void> TreeWriter::make_directory(uint32_t parent, int parent_fd, const TreeEntry& entry) {
  if (mkdirat(parent_fd, entry.name.c_str(), kModeWhileWriting) != 0) return fail_writing(parent, entry.name);
  directories_.push_back({entry.digest, join_path(directories_[parent].path, entry.name), mode_of(entry.mode)});
  return {};
}

Result<void> TreeWriter::fetch_chunk_lists() {
  for (size_t from = 0; from < large_files_.size(); from += kListsAtOnce) {
    std::vector<Digest> digests;
    for (size_t i = from; i < std::min(from + kListsAtOnce, large_files_.size()); ++i)
      digests.push_back(large_files_[i].entry.digest);
    PLZ_TRY(source_.fetch(digests, [&](size_t index, std::string_view bytes) -> Result<void> {
      LargeFile& file = large_files_[from + index];
      PLZ_ASSIGN(file.chunks, decode_chunk_list(bytes));
      return divide(file);
    }));
  }
  return {};
}

Result<void> TreeWriter::divide(LargeFile& file) {
  size_t before = parts_.size();
  uint64_t offset = 0;
  for (size_t i = 0; i < file.chunks.size();) {
    LargePart part{&file, i, i, offset};
    while (part.to < file.chunks.size() && offset - part.offset < kBytesAtOnce) offset += file.chunks[part.to++].bytes;
    i = part.to;
    parts_.push_back(part);
  }
  file.parts_left = parts_.size() - before;
  if (offset == file.entry.bytes && file.parts_left > 0) return {};
  return fail(ErrorCode::invalid, fmt::format("the chunks of {} have another size than its tree says",
                                              printable(path_of(file.directory, file.entry.name))));
}

Result<void> TreeWriter::write_files() {
  std::vector<std::pair<size_t, size_t>> groups;
  for (size_t i = 0; i < small_files_.size();) {
    size_t from = i;
    uint64_t bytes = 0;
    while (i < small_files_.size() && i - from < kFilesAtOnce && bytes < kBytesAtOnce)
      bytes += small_files_[i++].entry.bytes;
    groups.emplace_back(from, i);
  }
  return run_tasks(thread_count(options_.threads), parts_.size() + groups.size(), [&](size_t i) {
    if (i < parts_.size()) return write_part(parts_[i]);
    auto [from, to] = groups[i - parts_.size()];
    return write_small_files(from, to);
  });
}

Result<void> TreeWriter::write_small_files(size_t from, size_t to) {
  std::vector<Digest> digests;
  for (size_t i = from; i < to; ++i) digests.push_back(small_files_[i].entry.digest);
  UniqueFd fd;
  uint32_t opened = 0;
  return source_.fetch(digests, [&](size_t index, std::string_view bytes) -> Result<void> {
    PLZ_TRY(go_on());
    const SmallFile& file = small_files_[from + index];
    if (!fd || opened != file.directory) {
      PLZ_ASSIGN(fd, open_directory(file.directory));
      opened = file.directory;
    }
    return write_small_file(file, fd.get(), bytes);
  });
}

Result<void> TreeWriter::write_small_file(const SmallFile& file, int directory, std::string_view bytes) {
  std::string path = path_of(file.directory, file.entry.name);
  if (bytes.size() != file.entry.bytes)
    return fail(ErrorCode::invalid, printable(path) + " has another size than its tree says");
  PLZ_ASSIGN(UniqueFd fd, create_file(directory, path, file.entry));
  if (auto written = write_all(fd.get(), bytes); !written)
    return fail(std::move(written).error().with_context(printable(path)));
  if (fchmod(fd.get(), mode_of(file.entry.mode)) != 0) return fail_writing(file.directory, file.entry.name);
  count(bytes.size());
  return {};
}

Result<void> TreeWriter::write_part(const LargePart& part) {
  LargeFile& file = *part.file;
  PLZ_TRY(open_large(file));
  std::vector<Digest> digests;
  for (size_t i = part.from; i < part.to; ++i) digests.push_back(file.chunks[i].digest);
  uint64_t offset = part.offset;
  PLZ_TRY(source_.fetch(digests, [&](size_t index, std::string_view bytes) -> Result<void> {
    PLZ_TRY(go_on());
    if (bytes.size() != file.chunks[part.from + index].bytes)
      return fail(ErrorCode::invalid, "the chunk " + digests[index].hex() + " has another size than its list says");
    PLZ_TRY(write_sparsely(file.fd.get(), bytes, offset));
    offset += bytes.size();
    count(bytes.size());
    return {};
  }));
  if (file.parts_left.fetch_sub(1) == 1) return close_large(file);
  return {};
}

Result<void> TreeWriter::open_large(LargeFile& file) {
  std::lock_guard lock(file.opening);
  if (file.fd) return {};
  PLZ_ASSIGN(UniqueFd directory, open_directory(file.directory));
  PLZ_ASSIGN(UniqueFd fd, create_file(directory.get(), path_of(file.directory, file.entry.name), file.entry));
  // What is not written is a hole.
  if (ftruncate(fd.get(), static_cast<off_t>(file.entry.bytes)) != 0)
    return fail_writing(file.directory, file.entry.name);
  file.fd = std::move(fd);
  return {};
}

Result<void> TreeWriter::close_large(LargeFile& file) {
  if (fchmod(file.fd.get(), mode_of(file.entry.mode)) != 0) return fail_writing(file.directory, file.entry.name);
  file.fd.reset();
  return {};
}

// Children first: a directory that may not be searched hides what is below.
Result<void> TreeWriter::set_directory_modes() {
  for (auto index = static_cast<uint32_t>(directories_.size()); index-- > 1;) {
    PLZ_TRY(go_on());
    if (directories_[index].mode == kModeWhileWriting) continue;
    PLZ_ASSIGN(UniqueFd fd, open_directory(index));
    if (fchmod(fd.get(), directories_[index].mode) != 0) return fail_writing(index, "");
  }
  return {};
}

Result<void> TreeWriter::go_on() const {
  if (!options_.stop.stop_requested()) return {};
  return fail(ErrorCode::cancelled, "stopped while " + printable(root_path_) + " was written");
}

Result<UniqueFd> TreeWriter::open_directory(uint32_t index) {
  UniqueFd fd = open_directory_beneath(root_.get(), directories_[index].path);
  if (!fd) return fail_errno("cannot open " + printable(path_of(index, "")));
  return fd;
}

Result<UniqueFd> TreeWriter::create_file(int directory, const std::string& path, const TreeEntry& entry) {
  UniqueFd fd(openat(directory, entry.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return fail_errno("cannot create " + printable(path));
  return fd;
}

std::string TreeWriter::path_of(uint32_t directory, const std::string& name) const {
  std::string path = join_path(root_path_, directories_[directory].path);
  return name.empty() ? path : join_path(path, name);
}

tl::unexpected<Error> TreeWriter::fail_writing(uint32_t directory, const std::string& name) const {
  int error_number = errno;
  return fail(errno_error(error_number, "cannot write " + printable(path_of(directory, name))));
}

void TreeWriter::count(uint64_t bytes) {
  uint64_t done = bytes_done_ += bytes;
  if (options_.progress) options_.progress(done);
}

}  // namespace plz
