#include "logs/file_log_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "logs/log_marks.h"
#include "os/file.h"

namespace plz {

// One open log. Appending and sealing take the mutex; reading takes the size as it stands.
class FileLogStore::Log {
 public:
  static Result<LogPointer> open(std::string path, bool create) {
    // A sealed log refuses O_RDWR to all but root.
    auto fd = open_file(path, O_RDWR);
    if (!fd && fd.error().code == ErrorCode::invalid) fd = open_file(path, O_RDONLY);
    if (!fd && fd.error().code == ErrorCode::not_found) {
      if (!create) return nullptr;
      PLZ_TRY(make_file(path));
      fd = open_file(path, O_RDWR);
    }
    if (!fd) return fail(std::move(fd).error());
    struct stat st;
    if (fstat(fd->get(), &st) != 0) return fail_errno("cannot stat " + path);
    return std::make_shared<Log>(std::move(path), std::move(*fd), st);
  }

  Log(std::string path, UniqueFd fd, const struct stat& st)
      : path_(std::move(path)),
        fd_(std::move(fd)),
        bytes_(static_cast<uint64_t>(st.st_size)),
        sealed_((st.st_mode & 0222) == 0) {}

  LogState state() const { return {bytes_, sealed_}; }

  Result<LogState> append(uint64_t offset, std::string_view bytes) {
    std::lock_guard lock(mutex_);
    uint64_t size = bytes_;
    if (offset > size) return refuse("does not go on from there");
    bytes.remove_prefix(std::min<uint64_t>(size - offset, bytes.size()));
    if (bytes.empty()) return state();
    if (sealed_) return refuse("is sealed");
    auto written = pwrite_all(fd_.get(), bytes, size);
    if (!written) return take_back(size, std::move(written).error());
    bytes_ = size + bytes.size();
    return state();
  }

  Result<size_t> read(uint64_t offset, void* buffer, size_t size) const {
    uint64_t end = bytes_;
    if (offset >= end) return 0;
    return pread_up_to(fd_.get(), buffer, std::min<uint64_t>(size, end - offset), offset);
  }

  // The bytes first: after a crash in between, a log that says it is sealed is whole.
  Result<void> seal() {
    std::lock_guard lock(mutex_);
    if (sealed_) return {};
    if (bytes_ > 0 && fdatasync(fd_.get()) != 0) return fail_errno("cannot sync " + path_);
    if (fchmod(fd_.get(), 0400) != 0) return fail_errno("cannot seal " + path_);
    if (fsync(fd_.get()) != 0) return fail_errno("cannot sync " + path_);
    PLZ_TRY(sync_directory(parent_path(path_)));
    sealed_ = true;
    return {};
  }

  Result<void> add_marks(LogMarks marks, const std::vector<LogMark>& more) {
    std::lock_guard lock(mutex_);
    return marks.append(more);
  }

 private:
  static Result<void> make_file(const std::string& path) {
    std::string directory = parent_path(path);
    if (!path_exists(directory)) {
      PLZ_TRY(make_directories(directory, 0700));
      PLZ_TRY(sync_directory(parent_path(directory)));
    }
    PLZ_TRY(open_file(path, O_RDWR | O_CREAT, 0600));
    return {};
  }

  tl::unexpected<Error> refuse(const std::string& why) const {
    return fail(ErrorCode::conflict, "the log " + why + ": it has " + std::to_string(bytes_) + " bytes");
  }

  Result<LogState> take_back(uint64_t size, Error error) {
    (void)!ftruncate(fd_.get(), static_cast<off_t>(size));
    return fail(std::move(error).with_context("cannot write to " + path_));
  }

  const std::string path_;
  const UniqueFd fd_;
  std::mutex mutex_;
  std::atomic<uint64_t> bytes_;
  std::atomic<bool> sealed_;
};

Result<std::unique_ptr<FileLogStore>> FileLogStore::open(const std::string& directory) {
  PLZ_TRY(make_directories(directory, 0700));
  return std::unique_ptr<FileLogStore>(new FileLogStore(directory));
}

FileLogStore::~FileLogStore() = default;

Result<std::vector<Uuid>> FileLogStore::list() const {
  std::vector<Uuid> logs;
  PLZ_ASSIGN(auto folders, list_directory(directory_));
  for (const std::string& folder : folders) {
    if (folder.size() != 2) continue;
    PLZ_ASSIGN(auto names, list_directory(join_path(directory_, folder)));
    for (std::string_view name : names) {
      if (!name.ends_with(".log")) continue;
      name.remove_suffix(4);
      if (auto id = Uuid::parse(name)) logs.push_back(*id);
    }
  }
  std::sort(logs.begin(), logs.end());
  return logs;
}

// The end of a UUID is random: its first bytes, a time, would fill one directory after the other.
std::string FileLogStore::path_of(const Uuid& attempt, std::string_view suffix) const {
  std::string name = attempt.to_string();
  return join_path(join_path(directory_, name.substr(name.size() - 2)), name + std::string(suffix));
}

Result<FileLogStore::LogPointer> FileLogStore::find(const Uuid& attempt, bool create) {
  std::lock_guard lock(mutex_);
  if (auto it = index_.find(attempt); it != index_.end()) {
    open_.splice(open_.begin(), open_, it->second);
    return it->second->second;
  }
  PLZ_ASSIGN(LogPointer log, Log::open(path_of(attempt, ".log"), create));
  if (!log) return log;
  if (open_.size() >= kMaxOpen) forget_oldest();
  open_.emplace_front(attempt, log);
  index_[attempt] = open_.begin();
  return log;
}

// Not one that is in use: were it opened a second time, there would be two ideas of its size.
void FileLogStore::forget_oldest() {
  for (auto it = open_.end(); it != open_.begin();) {
    --it;
    if (it->second.use_count() > 1) continue;
    index_.erase(it->first);
    open_.erase(it);
    return;
  }
}

Result<LogState> FileLogStore::append(const Uuid& attempt, uint64_t offset, std::string_view bytes) {
  PLZ_ASSIGN(LogPointer log, find(attempt, true));
  uint64_t before = log->state().bytes;
  PLZ_ASSIGN(LogState state, log->append(offset, bytes));
  if (state.bytes > before) subscribers_.wake(attempt);
  return state;
}

Result<void> FileLogStore::add_marks(const Uuid& attempt, const std::vector<LogMark>& marks) {
  if (marks.empty()) return {};
  PLZ_ASSIGN(LogPointer log, find(attempt, true));
  return log->add_marks(LogMarks(path_of(attempt, ".marks")), marks);
}

Result<LogState> FileLogStore::state(const Uuid& attempt) {
  PLZ_ASSIGN(LogPointer log, find(attempt, false));
  return log ? log->state() : LogState{};
}

Result<size_t> FileLogStore::read(const Uuid& attempt, uint64_t offset, void* buffer, size_t size) {
  PLZ_ASSIGN(LogPointer log, find(attempt, false));
  return log ? log->read(offset, buffer, size) : Result<size_t>(0);
}

Result<uint64_t> FileLogStore::offset_at(const Uuid& attempt, Timestamp time) {
  PLZ_ASSIGN(LogState state, this->state(attempt));
  PLZ_ASSIGN(auto mark, LogMarks(path_of(attempt, ".marks")).find(time));
  return mark ? std::min(mark->offset, state.bytes) : state.bytes;
}

Result<void> FileLogStore::seal(const Uuid& attempt) {
  PLZ_ASSIGN(LogPointer log, find(attempt, true));
  PLZ_TRY(log->seal());
  subscribers_.wake(attempt);
  return {};
}

Result<void> FileLogStore::remove(const Uuid& attempt) {
  std::lock_guard lock(mutex_);
  if (auto it = index_.find(attempt); it != index_.end()) {
    open_.erase(it->second);
    index_.erase(it);
  }
  for (std::string_view suffix : {".log", ".marks"}) {
    std::string path = path_of(attempt, suffix);
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno("cannot remove " + path);
  }
  return {};
}

std::shared_ptr<void> FileLogStore::subscribe(const Uuid& attempt, std::function<void()> wake) {
  return subscribers_.subscribe(attempt, std::move(wake));
}

}  // namespace plz
