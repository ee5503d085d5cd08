#include "logs/file_log_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <limits>

#include "logs/log_marks.h"
#include "logs/log_sums.h"
#include "os/file.h"

namespace plz {

// One open log. Appending and sealing take the mutex; reading takes the size as it stands.
class FileLogStore::Log {
 public:
  static Result<LogPointer> open(std::string path, const std::string& sums_path, bool create) {
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
    PLZ_ASSIGN(auto sums, LogSums::open(sums_path));
    auto log = std::make_shared<Log>(std::move(path), sums_path, std::move(*fd), st, std::move(sums));
    PLZ_TRY(log->go_on_where_sums_end());
    return log;
  }

  Log(std::string path, std::string sums_path, UniqueFd fd, const struct stat& st, std::unique_ptr<LogSums> sums)
      : path_(std::move(path)),
        sums_path_(std::move(sums_path)),
        fd_(std::move(fd)),
        end_(static_cast<uint64_t>(st.st_size)),
        bytes_(static_cast<uint64_t>(st.st_size)),
        sealed_((st.st_mode & 0222) == 0),
        sums_(std::move(sums)) {}

  LogState state() const { return {bytes_, sealed_}; }

  Result<LogState> append(uint64_t offset, std::string_view bytes) {
    std::lock_guard lock(mutex_);
    uint64_t size = bytes_;
    if (offset > size) return refuse("does not go on from there");
    bytes.remove_prefix(std::min<uint64_t>(size - offset, bytes.size()));
    if (bytes.empty()) return state();
    if (sealed_) return refuse("is sealed");
    auto written = pwrite_all(fd_.get(), bytes, size);
    if (!written) return take_back(std::move(written).error().with_context("cannot write to " + path_));
    if (auto summed = add_to_sums(bytes); !summed) return take_back(std::move(summed).error());
    bytes_ = size + bytes.size();
    end_ = std::max<uint64_t>(end_, bytes_);
    return state();
  }

  Result<size_t> read(uint64_t offset, void* buffer, size_t size) const {
    // A sealed one goes as far as its file, which may have been put back since it was opened.
    uint64_t end = sealed_ ? std::numeric_limits<int64_t>::max() : end_.load();
    if (offset >= end) return 0;
    return pread_up_to(fd_.get(), buffer, std::min<uint64_t>(size, end - offset), offset);
  }

  // The bytes first: after a crash in between, a log that says it is sealed is whole.
  Result<void> seal() {
    std::lock_guard lock(mutex_);
    if (sealed_) return {};
    // Nobody was told that what lies behind is there.
    struct stat st;
    if (fstat(fd_.get(), &st) != 0) return fail_errno("cannot stat " + path_);
    const auto end = static_cast<off_t>(bytes_.load());
    if (sums_ && st.st_size > end && ftruncate(fd_.get(), end) != 0) return fail_errno("cannot truncate " + path_);
    end_ = bytes_.load();
    if (sums_) {
      PLZ_TRY(sums_->end_here());
      sums_->begin_sync();
    }
    if (bytes_ > 0 && fdatasync(fd_.get()) != 0) return fail_errno("cannot sync " + path_);
    if (fchmod(fd_.get(), 0400) != 0) return fail_errno("cannot seal " + path_);
    if (fsync(fd_.get()) != 0) return fail_errno("cannot sync " + path_);
    PLZ_TRY(sync_directory(parent_path(path_)));
    sealed_ = true;
    return {};
  }

  // Whether the file at the path is the one that is open.
  bool is_in_place() const {
    struct stat here, there;
    return fstat(fd_.get(), &here) == 0 && stat(path_.c_str(), &there) == 0 && here.st_dev == there.st_dev &&
           here.st_ino == there.st_ino;
  }

  Result<LogLook> look(uint64_t from) {
    uint64_t told = 0;
    {
      std::lock_guard lock(mutex_);
      if (sums_) told = sums_->covered();
    }
    struct stat st;
    if (fstat(fd_.get(), &st) != 0) return fail_errno("cannot stat " + path_);
    LogLook look{static_cast<uint64_t>(st.st_size), {}};
    if (!sums_) return look;
    PLZ_ASSIGN(look.damage, sums_->damage(fd_.get(), look.bytes, from));
    if (sealed_ && told > 0 && look.bytes > told) look.damage.push_back({told, look.bytes, "nobody wrote them"});
    return look;
  }

  Result<bool> take_anew(uint64_t from) {
    if (sealed_) return false;
    PLZ_ASSIGN(const LogLook seen, look(from));
    std::lock_guard lock(mutex_);
    if (seen.damage.empty() || seen.damage.front().from >= bytes_) return false;
    PLZ_TRY(sums_->go_back_to(seen.damage.front().from));
    bytes_ = sums_->covered();
    return true;
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

  // A log that was begun without checksums, by an older build, goes on without.
  Result<void> add_to_sums(std::string_view bytes) {
    if (!sums_ && bytes_ == 0) {
      PLZ_ASSIGN(sums_, LogSums::create(sums_path_));
    }
    return sums_ ? sums_->add(fd_.get(), bytes) : Result<void>();
  }

  Result<void> go_on_where_sums_end() {
    if (!sums_ || sealed_) return {};
    PLZ_TRY(sums_->go_back_to(bytes_));
    bytes_ = sums_->covered();
    return {};
  }

  Result<LogState> take_back(Error error) {
    (void)!ftruncate(fd_.get(), static_cast<off_t>(end_.load()));
    return fail(std::move(error));
  }

  const std::string path_, sums_path_;
  const UniqueFd fd_;
  std::mutex mutex_;
  std::atomic<uint64_t> end_;    // what can be read; more than bytes_ where somebody has yet to send it again
  std::atomic<uint64_t> bytes_;  // where appends go on
  std::atomic<bool> sealed_;
  std::unique_ptr<LogSums> sums_;  // guarded by mutex_; nullptr: there are none
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
  PLZ_ASSIGN(LogPointer log, Log::open(path_of(attempt, ".log"), path_of(attempt, ".sums"), create));
  if (!log) return log;
  if (open_.size() >= kMaxOpen) forget_oldest();
  open_.emplace_front(attempt, log);
  index_[attempt] = open_.begin();
  return log;
}

Result<FileLogStore::LogPointer> FileLogStore::find_anew(const Uuid& attempt) {
  {
    std::lock_guard lock(mutex_);
    auto it = index_.find(attempt);
    if (it != index_.end() && it->second->second.use_count() == 1 && !it->second->second->is_in_place()) {
      open_.erase(it->second);
      index_.erase(it);
    }
  }
  return find(attempt, false);
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
  if (log && log->state().sealed && !log->is_in_place()) {
    log.reset();
    PLZ_ASSIGN(log, find_anew(attempt));
  }
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
  for (std::string_view suffix : {".log", ".marks", ".sums"}) {
    std::string path = path_of(attempt, suffix);
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno("cannot remove " + path);
  }
  return {};
}

Result<LogLook> FileLogStore::look(const Uuid& attempt, uint64_t from) {
  PLZ_ASSIGN(LogPointer log, find_anew(attempt));
  if (log) return log->look(from);
  PLZ_ASSIGN(auto sums, LogSums::open(path_of(attempt, ".sums")));
  if (!sums || sums->covered() <= from) return LogLook{};
  return LogLook{0, {{from, sums->covered(), "they are gone"}}};
}

Result<bool> FileLogStore::take_anew(const Uuid& attempt, uint64_t from) {
  PLZ_ASSIGN(LogPointer log, find_anew(attempt));
  return log ? log->take_anew(from) : Result<bool>(false);
}

std::shared_ptr<void> FileLogStore::subscribe(const Uuid& attempt, std::function<void()> wake) {
  return subscribers_.subscribe(attempt, std::move(wake));
}

}  // namespace plz
