#include "logs/log_marks.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "os/file.h"

namespace plz {
namespace {

constexpr uint64_t kMarkBytes = 16;

std::string encode(const LogMark& mark) {
  int64_t time = mark.time.time_since_epoch().count();
  std::string bytes(kMarkBytes, '\0');
  memcpy(bytes.data(), &time, 8);
  memcpy(bytes.data() + 8, &mark.offset, 8);
  return bytes;
}

Result<LogMark> read_mark(int fd, uint64_t index) {
  char bytes[kMarkBytes];
  PLZ_ASSIGN(size_t size, pread_up_to(fd, bytes, sizeof bytes, index * kMarkBytes));
  if (size < sizeof bytes) return fail(ErrorCode::internal, "a file of log marks has become shorter");
  int64_t time = 0;
  LogMark mark;
  memcpy(&time, bytes, 8);
  memcpy(&mark.offset, bytes + 8, 8);
  mark.time = Timestamp(std::chrono::microseconds(time));
  return mark;
}

// Whole marks: a crash may have left a part of one behind.
Result<uint64_t> count_marks(int fd) {
  struct stat st;
  if (fstat(fd, &st) != 0) return fail_errno("cannot stat a file of log marks");
  return static_cast<uint64_t>(st.st_size) / kMarkBytes;
}

}  // namespace

std::vector<LogMark> LogMarks::to_append(std::optional<LogMark> last, const std::vector<LogMark>& marks) {
  std::vector<LogMark> rising;
  for (LogMark mark : marks) {
    if (last && mark.offset <= last->offset) continue;
    if (last) mark.time = std::max(mark.time, last->time);
    rising.push_back(mark);
    last = mark;
  }
  return rising;
}

Result<void> LogMarks::append(const std::vector<LogMark>& marks) {
  PLZ_ASSIGN(UniqueFd fd, open_file(path_, O_RDWR | O_CREAT, 0600));
  PLZ_ASSIGN(uint64_t count, count_marks(fd.get()));
  std::optional<LogMark> last;
  if (count > 0) {
    PLZ_ASSIGN(last, read_mark(fd.get(), count - 1));
  }
  std::string bytes;
  for (const LogMark& mark : to_append(last, marks)) bytes += encode(mark);
  auto written = pwrite_all(fd.get(), bytes, count * kMarkBytes);
  // What is left of it would be taken for marks, were it longer than one.
  if (!written && ftruncate(fd.get(), static_cast<off_t>(count * kMarkBytes)) != 0)
    return fail_errno("cannot truncate " + path_);
  return written;
}

Result<std::optional<LogMark>> LogMarks::find(Timestamp time) const {
  auto opened = open_file(path_, O_RDONLY);
  if (!opened && opened.error().code == ErrorCode::not_found) return std::nullopt;
  PLZ_ASSIGN(UniqueFd fd, std::move(opened));
  PLZ_ASSIGN(uint64_t count, count_marks(fd.get()));
  std::optional<LogMark> found;
  for (uint64_t from = 0, to = count; from < to;) {
    uint64_t middle = from + (to - from) / 2;
    PLZ_ASSIGN(LogMark mark, read_mark(fd.get(), middle));
    if (mark.time + kSpacing > time) {
      found = mark;
      to = middle;
    } else {
      from = middle + 1;
    }
  }
  return found;
}

}  // namespace plz
