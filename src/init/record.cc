#include "init/record.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "init/contract.h"
#include "init/message.h"

namespace plz::init {
namespace {

constexpr off_t kReservedBytes = 4096;

int64_t microseconds(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return static_cast<int64_t>(time.tv_sec) * 1'000'000 + time.tv_nsec / 1'000;
}

void pause_milliseconds(long milliseconds) {
  timespec time{milliseconds / 1000, milliseconds % 1000 * 1'000'000};
  nanosleep(&time, nullptr);
}

std::optional<int64_t> oom_kills_in(const std::string& path) {
  std::string text;
  if (!read_whole(AT_FDCWD, path.c_str(), text)) return std::nullopt;
  size_t at = text.find("\noom_kill ");
  if (at == text.npos) return std::nullopt;
  return strtoll(text.c_str() + at + strlen("\noom_kill "), nullptr, 10);
}

// Of cgroup v2: "/" in a cgroup namespace of its own.
std::string own_cgroup() {
  std::string text;
  if (!read_whole(AT_FDCWD, "/proc/self/cgroup", text)) return "/";
  size_t line = text.compare(0, 3, "0::") == 0 ? 0 : text.find("\n0::");
  if (line == text.npos) return "/";
  size_t path = text.find("::", line) + 2;
  return text.substr(path, text.find('\n', path) - path);
}

}  // namespace

RecordText::RecordText(const char* magic) { add(magic, kRecordVersion); }

void RecordText::add(const char* key, const char* value) {
  text_ += key;
  text_ += ' ';
  size_t start = text_.size();
  text_ += value;
  std::replace(text_.begin() + static_cast<std::ptrdiff_t>(start), text_.end(), '\n', ' ');
  text_ += '\n';
}

void RecordText::add(const char* key, int64_t value) { add(key, std::to_string(value).c_str()); }

std::string RecordText::finish() {
  constexpr size_t kRoom = kReservedBytes - 8;
  if (text_.size() > kRoom) {
    text_.resize(kRoom);
    text_ += '\n';
  }
  return text_ + "end\n";
}

bool ReservedRecord::reserve(int directory, const char* name) {
  fd_.reset(openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd_) return false;
  // A file system that cannot reserve is fine; one that is full is not.
  return fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, 0, kReservedBytes) == 0 || (errno != ENOSPC && errno != EDQUOT);
}

void ReservedRecord::write(const std::string& text, bool sync) {
  for (long wait = 10;; wait = std::min(wait * 2, 1000L)) {
    ssize_t n = pwrite(fd_.get(), text.data(), text.size(), 0);
    if (n == static_cast<ssize_t>(text.size())) break;
    if (n < 0 && errno != ENOSPC && errno != EDQUOT && errno != EINTR) {
      complain_errno("cannot write a record");
      return;
    }
    pause_milliseconds(wait);
  }
  if (sync && fdatasync(fd_.get()) != 0) complain_errno("cannot sync a record");
}

void write_end_record(int attempt_directory, int64_t log_bytes) {
  RecordText record(kEndMagic);
  record.add(kKeyLogBytes, log_bytes);
  while (!write_whole(attempt_directory, kEndFile, record.finish())) {
    if (errno != ENOSPC && errno != EDQUOT) return complain_errno("cannot write", kEndFile);
    pause_milliseconds(1000);
  }
}

Moment Moment::now() { return {microseconds(CLOCK_REALTIME), microseconds(CLOCK_BOOTTIME)}; }

int64_t kernel_oom_kills() { return oom_kills_in("/proc/vmstat").value_or(0); }

std::optional<int64_t> container_oom_kills() {
  // Of cgroup v2 and of v1: the one or the other is there.
  auto kills = oom_kills_in("/sys/fs/cgroup" + own_cgroup() + "/memory.events");
  return kills ? kills : oom_kills_in("/sys/fs/cgroup/memory/memory.oom_control");
}

}  // namespace plz::init
