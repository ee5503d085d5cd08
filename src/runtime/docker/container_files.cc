#include "runtime/docker/container_files.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/contract.h"
#include "os/beneath.h"
#include "os/file.h"
#include "os/process.h"
#include "runtime/docker/open_copy.h"

namespace plz {
namespace {

constexpr char kNoteFile[] = "init.container";
constexpr char kNoteMagic[] = "plz-container";
constexpr size_t kPieceBytes = 1 << 20;

Result<void> open_to_all(const UniqueFd& fd, const std::string& path, mode_t mode) {
  if (fd && fchmod(fd.get(), mode) == 0) return {};
  return fail_errno("cannot open to the container's users " + path);
}

// A container may run already, and its job have put a link there: that is not followed.
Result<void> open_directory_to_all(const std::string& path) {
  return open_to_all(UniqueFd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)), path, 0777);
}

std::string value_in(const AttemptRecord& record, std::string_view key) {
  auto found = record.find(key);
  return found == record.end() ? std::string() : found->second;
}

std::string record_text(const char* magic, std::initializer_list<std::pair<const char*, std::string>> lines) {
  std::string content = std::string(magic) + " " + init::kRecordVersion + "\n";
  for (const auto& [key, value] : lines)
    if (!value.empty()) content += fmt::format("{} {}\n", key, value);
  return content + "end\n";
}

std::string microseconds(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return std::to_string(static_cast<int64_t>(time.tv_sec) * 1'000'000 + time.tv_nsec / 1'000);
}

std::string one_line(std::string words) {
  std::replace(words.begin(), words.end(), '\n', ' ');
  return words.substr(0, 2000);
}

const char* outcome_word(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::succeeded:
    case OutcomeKind::exited: return "exited";
    case OutcomeKind::signalled: return "signalled";
    case OutcomeKind::could_not_start: return "not_started";
    default: return "lost";
  }
}

}  // namespace

std::string ContainerFiles::log_pipe() const { return join_path(paths_.directory, init::kLogPipe); }

Result<void> ContainerFiles::make_open_directory(const std::string& path) {
  PLZ_TRY(make_directories(path, 0700));
  return open_directory_to_all(path);
}

// The second name is that of what was opened, whatever bears the first by then.
Result<void> ContainerFiles::make_shared_file(const char* name, bool is_pipe) {
  std::string inside = join_path(attempt(), name), outside = join_path(paths_.directory, name);
  if (is_pipe && mkfifo(inside.c_str(), 0600) != 0 && errno != EEXIST) return fail_errno("cannot make " + inside);
  const int flags = is_pipe ? O_RDWR | O_NONBLOCK : O_WRONLY | O_CREAT;
  UniqueFd file(open(inside.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return fail_errno("cannot make " + inside);
  PLZ_TRY(open_to_all(file, inside, 0666));
  // Of an earlier try, which came to nothing.
  unlink(outside.c_str());
  if (linkat(AT_FDCWD, path_of_descriptor(file.get()).c_str(), AT_FDCWD, outside.c_str(), AT_SYMLINK_FOLLOW) == 0)
    return {};
  return fail_errno("cannot link " + outside);
}

Result<void> ContainerFiles::open_job_directories() {
  for (const std::string& directory : {paths_.output(), paths_.measures()}) {
    UniqueFd top(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    PLZ_TRY(open_to_all(top, directory, 0777));
    PLZ_ASSIGN(auto names, list_directory(path_of_descriptor(top.get())));
    for (const std::string& name : names)
      if (UniqueFd below = open_directory_beneath(top.get(), name))
        PLZ_TRY(open_to_all(below, join_path(directory, name), 0777));
  }
  return {};
}

// For the container's users to read.
Result<void> ContainerFiles::write_shared_file(const char* name, const std::string& content) {
  UniqueFd directory(open(attempt().c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  const std::string path = join_path(attempt(), name), made = std::string(name) + ".new";
  if (!directory) return fail_errno("cannot open " + attempt());
  unlinkat(directory.get(), made.c_str(), 0);
  UniqueFd file = open_beneath(directory.get(), made, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (!file) return fail_errno("cannot write " + path);
  PLZ_TRY(write_all(file.get(), content));
  PLZ_TRY(open_to_all(file, path, 0644));
  if (renameat(directory.get(), made.c_str(), directory.get(), name) == 0) return {};
  return fail_errno("cannot write " + path);
}

Result<void> ContainerFiles::make(const InitSpec& init) {
  PLZ_ASSIGN(std::string text, encode_init_spec(init));
  PLZ_TRY(make_directories(run(), 0700));
  PLZ_TRY(make_open_directory(attempt()));
  PLZ_TRY(make_open_directory(code_copy()));
  for (const char* pipe : {init::kLogPipe, init::kControlPipe}) PLZ_TRY(make_shared_file(pipe, true));
  for (const char* file :
       {init::kLogFile, init::kLockFile, init::kErrorFile, init::kStartFile, init::kExitFile, init::kEndFile})
    PLZ_TRY(make_shared_file(file, false));
  PLZ_TRY(open_job_directories());
  return write_shared_file(init::kSpecFile, text);
}

Result<void> ContainerFiles::make_for_engine_log(const std::string& code_tree) {
  PLZ_TRY(make_directories(run(), 0700));
  PLZ_TRY(make_open_directory(attempt()));
  // Of an earlier try, which came to nothing.
  PLZ_TRY(remove_tree(code_copy()));
  PLZ_TRY(make_open_copy(code_tree, code_copy()));
  PLZ_TRY(open_job_directories());
  PLZ_ASSIGN(UniqueFd log, open_file(paths_.log(), O_WRONLY | O_CREAT, 0600));
  return {};
}

Result<void> ContainerFiles::ask_to_stop(std::chrono::milliseconds grace) {
  PLZ_TRY(write_shared_file(init::kStopFile, fmt::format("{}\n", grace.count())));
  std::string path = join_path(paths_.directory, init::kControlPipe);
  UniqueFd control(open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  if (!control) return errno == ENXIO || errno == ENOENT ? Result<void>() : fail_errno("cannot stop " + path);
  if (write(control.get(), "s", 1) < 0 && errno != EAGAIN) return fail_errno("cannot stop " + path);
  return {};
}

bool ContainerFiles::was_asked_to_stop() const { return path_exists(join_path(attempt(), init::kStopFile)); }

Result<void> ContainerFiles::write_note(const ContainerNote& note) {
  std::string content = record_text(kNoteMagic, {{"id", note.id},
                                                 {"name", note.name},
                                                 {"image", note.image},
                                                 {"attempt", note.attempt},
                                                 {"execution", note.execution},
                                                 {"log", note.log_keeper == LogKeeper::engine ? "engine" : "plz-init"},
                                                 {"stop_signal", std::to_string(note.stop_signal)}});
  return write_file_atomically(join_path(paths_.directory, kNoteFile), content, 0600, Sync::no);
}

Result<std::optional<ContainerNote>> ContainerFiles::read_note() const {
  PLZ_ASSIGN(auto content, read_file_if_exists(join_path(paths_.directory, kNoteFile)));
  auto record = content ? parse_attempt_record(*content, kNoteMagic) : std::nullopt;
  if (!record) return std::optional<ContainerNote>();
  return ContainerNote{value_in(*record, "id"),
                       value_in(*record, "name"),
                       value_in(*record, "image"),
                       value_in(*record, "attempt"),
                       value_in(*record, "execution"),
                       value_in(*record, "log") == "engine" ? LogKeeper::engine : LogKeeper::plz_init,
                       atoi(value_in(*record, "stop_signal").c_str())};
}

Result<UniqueFd> ContainerFiles::open_log_pipe() const { return open_file(log_pipe(), O_RDONLY | O_NONBLOCK); }

bool ContainerFiles::has_writer(int pipe) {
  // Hung up: there were writers, and there are none now. Without that, tee(2), which looks without taking,
  // finds the end only where none was seen.
  pollfd ended{pipe, 0, 0};
  if (poll(&ended, 1, 0) > 0) return false;
  auto scratch = make_pipe();
  return scratch && tee(pipe, scratch->in.get(), 1, SPLICE_F_NONBLOCK) != 0;
}

bool ContainerFiles::has_begun() const {
  auto size = file_size(join_path(paths_.directory, init::kLockFile));
  return size && *size > 0;
}

Result<void> ContainerFiles::drain(int pipe) {
  PLZ_ASSIGN(UniqueFd log, open_file(paths_.log(), O_WRONLY | O_CREAT, 0600));
  off64_t end = lseek64(log.get(), 0, SEEK_END);
  for (;;) {
    ssize_t n = splice(pipe, nullptr, log.get(), &end, kPieceBytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n == 0 || (n < 0 && errno == EAGAIN)) break;
    if (n < 0 && errno != EINTR) return fail_errno("cannot keep the rest of " + paths_.log());
  }
  // What plz-init had reserved beyond the end.
  if (ftruncate64(log.get(), end) != 0) return fail_errno("cannot close " + paths_.log());
  return {};
}

Result<void> ContainerFiles::write_end(const Outcome& outcome) {
  PLZ_ASSIGN(auto records, read_attempt_records(paths_));
  if (!records.exit) {
    auto number = [](auto value) { return value ? std::to_string(*value) : std::string(); };
    auto started = [&](const char* key) { return records.start ? value_in(*records.start, key) : std::string(); };
    PLZ_TRY(write_file_atomically(
        join_path(paths_.directory, init::kExitFile),
        record_text(init::kExitMagic, {{init::kKeyOutcome, outcome_word(outcome.kind)},
                                       {init::kKeyStatus, number(outcome.exit_status)},
                                       {init::kKeySignal, number(outcome.signal)},
                                       {init::kKeyReason, one_line(outcome.reason)},
                                       {init::kKeyOutOfMemory, outcome.out_of_memory ? "1" : ""},
                                       {init::kKeyStartedRealtime, started(init::kKeyStartedRealtime)},
                                       {init::kKeyStartedBoottime, started(init::kKeyStartedBoottime)},
                                       {init::kKeyEndedRealtime, microseconds(CLOCK_REALTIME)},
                                       {init::kKeyEndedBoottime, microseconds(CLOCK_BOOTTIME)}}),
        0600, Sync::yes));
  }
  PLZ_ASSIGN(uint64_t log_bytes, file_size(paths_.log()));
  return write_file_atomically(join_path(paths_.directory, init::kEndFile),
                               record_text(init::kEndMagic, {{init::kKeyLogBytes, std::to_string(log_bytes)}}), 0600,
                               Sync::yes);
}

}  // namespace plz
