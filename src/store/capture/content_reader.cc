#include "store/capture/content_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "base/threads.h"
#include "os/fd.h"
#include "store/capture/large_file.h"
#include "store/pack_format.h"

namespace plz {
namespace {

// Small files lie one behind the other in a buffer; one byte more tells that a file has grown.
constexpr size_t kSmallBufferBytes = 2 * kChunkedFileThreshold;
// Several times a chunk, since what is left of a window is copied; and few, since they are in memory.
constexpr size_t kWindowBytes = 8u << 20;
constexpr int kMostRetries = 3;

}  // namespace

struct ContentReader::Worker {
  Hasher hasher;
  // The directory of the file before: files come directory by directory.
  const WalkedDirectory* directory = nullptr;
  UniqueFd directory_fd;
  std::shared_ptr<char[]> buffer;
  size_t buffer_used = kSmallBufferBytes;
};

ContentReader::ContentReader(CaptureRun& run, WalkedTree& tree, BlobSender& sender,
                             std::function<void()> after_each_file)
    : run_(run),
      tree_(tree),
      sender_(sender),
      after_each_file_(std::move(after_each_file)),
      small_buffers_(kSmallBufferBytes),
      windows_(kWindowBytes),
      chunks_(run, sender) {}

void ContentReader::read_all() {
  gather();
  run_on_threads(run_.threads(), [this] { work(); });
}

void ContentReader::gather() {
  uint64_t bytes = 0;
  for (WalkedDirectory& directory : tree_.directories) {
    if (directory.clean || directory.left_out) continue;
    for (uint32_t i = 0; i < directory.entries.size(); ++i) {
      const WalkedEntry& entry = directory.entries[i];
      if (entry.state != ContentState::unread) continue;
      files_.push_back({&directory, i});
      bytes += entry.stamp.size;
    }
  }
  std::stable_partition(files_.begin(), files_.end(), [](const File& file) {
    return file.directory->entries[file.index].stamp.size > kChunkedFileThreshold;
  });
  run_.expect_hashing(bytes);
}

void ContentReader::work() {
  Worker worker;
  for (;;) {
    if (chunks_.digest_one(worker.hasher)) continue;
    File file;
    chunks_.begin_reading();
    bool taken = take_file(file);
    if (taken) read_file(worker, file);
    chunks_.end_reading();
    if (!taken && !chunks_.wait_for_chunk()) return;
  }
}

bool ContentReader::take_file(File& file) {
  if (run_.stopped()) return false;
  size_t index = next_file_.fetch_add(1);
  if (index >= files_.size()) return false;
  file = files_[index];
  return true;
}

void ContentReader::read_file(Worker& worker, const File& file) {
  Attempt outcome = Attempt::changed;
  for (int i = 0; i <= kMostRetries && outcome == Attempt::changed; ++i) outcome = attempt(worker, file);
  if (outcome == Attempt::changed)
    run_.fail_with({ErrorCode::conflict, printable(path_of(file)) + " keeps changing while it is captured",
                    "stop what writes to it, or leave it out with excluded_paths"});
  if (outcome == Attempt::done && after_each_file_) after_each_file_();
}

ContentReader::Attempt ContentReader::attempt(Worker& worker, const File& file) {
  if (worker.directory != file.directory || !worker.directory_fd) {
    worker.directory_fd = tree_.open_directory(*file.directory);
    worker.directory = file.directory;
    if (!worker.directory_fd) return fail_reading(file, errno);
  }
  WalkedEntry result = file.directory->entries[file.index];
  const char* name = file.directory->name_of(result);
  const int links = result.followed ? 0 : O_NOFOLLOW;
  // Not blocking: a fifo may have taken the file's place.
  UniqueFd fd(openat(worker.directory_fd.get(), name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | links));
  if (!fd) return fail_reading(file, errno);
  Attempt outcome = read_open_file(worker, file, fd.get(), result);
  if (outcome == Attempt::done) publish(file, result);
  return outcome;
}

ContentReader::Attempt ContentReader::read_open_file(Worker& worker, const File& file, int fd, WalkedEntry& result) {
  int64_t began_ns = file_system_now_ns();
  struct stat before, after;
  if (fstat(fd, &before) != 0) return fail_reading(file, errno);
  if (!S_ISREG(before.st_mode)) {
    run_.fail_with({ErrorCode::conflict, printable(path_of(file)) + " stopped being a file while it was captured",
                    "capture it again when nothing writes to it"});
    return Attempt::failed;
  }
  result.stamp = stamp_of(before);
  result.mode = before.st_mode & 01777;
  bool large = result.stamp.size > kChunkedFileThreshold;
  Attempt outcome = large ? read_large(worker, file, fd, result) : read_small(worker, fd, result);
  if (outcome == Attempt::failed) return run_.stopped() ? outcome : fail_reading(file, errno);
  if (fstat(fd, &after) != 0) return fail_reading(file, errno);
  if (!(stamp_of(after) == result.stamp)) return Attempt::changed;
  result.settled = is_settled(result.stamp, began_ns);
  return outcome;
}

ContentReader::Attempt ContentReader::read_small(Worker& worker, int fd, WalkedEntry& result) {
  size_t size = result.stamp.size;
  if (worker.buffer_used + size + 1 > kSmallBufferBytes) {
    worker.buffer = small_buffers_.take();
    worker.buffer_used = 0;
  }
  char* bytes = worker.buffer.get() + worker.buffer_used;
  ssize_t got = read(fd, bytes, size + 1);  // of a regular file: the whole, in one call
  if (got < 0) return Attempt::failed;
  if (static_cast<size_t>(got) != size) return Attempt::changed;
  worker.buffer_used += size;
  worker.hasher.update({bytes, size});
  result.digest = worker.hasher.finish();
  result.kind = EntryKind::file;
  sender_.add({result.digest, {bytes, size}, worker.buffer});
  run_.count_hashed(size);
  return Attempt::done;
}

ContentReader::Attempt ContentReader::read_large(Worker& worker, const File& file, int fd, WalkedEntry& result) {
  struct stat st;
  if (fstat(fd, &st) != 0) return Attempt::failed;
  bool sparse = static_cast<uint64_t>(st.st_blocks) * 512 < result.stamp.size;
  posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  auto before = decode_chunk_list(WalkedTree::chunk_list_before(*file.directory, result));
  LargeFileCutter cutter(fd, result.stamp.size, sparse, before ? std::move(*before) : std::vector<ChunkReference>(),
                         {windows_, chunks_, sender_, run_, worker.hasher});
  std::vector<ChunkReference> chunks;
  auto outcome = cutter.cut(chunks);
  if (outcome == LargeFileCutter::Outcome::failed || run_.stopped()) return Attempt::failed;
  if (outcome == LargeFileCutter::Outcome::shorter) return Attempt::changed;
  auto list = std::make_shared<std::string>(encode_chunk_list(chunks));
  if (list->size() > kMaxBlobBytes) {
    errno = EFBIG;
    return Attempt::failed;
  }
  result.digest = digest_of(*list);
  result.kind = EntryKind::chunked_file;
  sender_.add_after_all({result.digest, *list, list});
  std::unique_lock lock(tree_.publishing);
  tree_.chunk_lists[&file.directory->entries[file.index]] = *list;
  return Attempt::done;
}

ContentReader::Attempt ContentReader::fail_reading(const File& file, int error_number) {
  WalkedEntry entry = file.directory->entries[file.index];
  bool forbidden = error_number == EACCES || error_number == EPERM;
  if (error_number == ENOENT || error_number == ENOTDIR || (forbidden && run_.options().unreadable_is_warning)) {
    entry.state = ContentState::left_out;
    publish(file, entry);
    if (forbidden) run_.warn(unreadable_error(error_number, path_of(file)).message + "; it is left out.");
    return Attempt::failed;
  }
  if (error_number == ELOOP)
    run_.fail_with({ErrorCode::conflict, printable(path_of(file)) + " became a link while it was captured",
                    "capture it again when nothing writes to it"});
  else run_.fail_with(unreadable_error(error_number, path_of(file)));
  return Attempt::failed;
}

void ContentReader::publish(const File& file, const WalkedEntry& result) {
  std::shared_lock lock(tree_.publishing);
  WalkedEntry& entry = file.directory->entries[file.index];
  entry = result;
  if (entry.state != ContentState::left_out) entry.state = ContentState::read;
}

std::string ContentReader::path_of(const File& file) const {
  return tree_.full_path(*file.directory, file.directory->name_of(file.directory->entries[file.index]));
}

}  // namespace plz
