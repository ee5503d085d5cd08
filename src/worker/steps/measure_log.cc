#include "worker/steps/measure_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>

#include <fmt/core.h>

#include "base/text.h"
#include "os/file.h"

namespace plz {
namespace {

constexpr size_t kLongestHeader = 256;
constexpr size_t kLargeValue = 256u << 10;  // written at once, not copied
constexpr uint64_t kNoLength = 1ull << 48;  // no file is as long: the header is damaged

template <typename T>
bool number(std::string_view word, T& value) {
  auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc() && end == word.data() + word.size();
}

}  // namespace

struct MeasureLog::Record {
  MeasureEvent event;
  MeasureStamp stamp;
  size_t value_bytes = 0;
  uint64_t end = 0;  // offset after it
};

Result<void> MeasureLog::open(const Known& known) {
  if (!path_exists(path_)) return {};  // made when there is something to write: most jobs measure nothing
  PLZ_TRY(open_file());
  for (;;) {
    PLZ_ASSIGN(auto record, read_record(size_, false));
    if (!record) break;
    sequence_ = record->event.sequence;
    size_ = record->end;
    known(record->event, record->stamp);
  }
  if (ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) return fail_errno("cannot cut " + path_);
  return {};
}

Result<void> MeasureLog::add(const MeasureEvent& event, const MeasureStamp& stamp) {
  std::string header =
      fmt::format("{} {} {} {} {} {} {} {} {} {}\n", sequence_ + 1, event.time.time_since_epoch().count(),
                  event.index ? std::to_string(*event.index) : "-", stamp.inode, stamp.bytes, stamp.mtime_ns,
                  stamp.ctime_ns, stamp.content_hash, event.path.size(), event.value.text.size());
  if (event.value.text.size() > kLargeValue) {
    PLZ_TRY(flush());
    PLZ_TRY(append({header, event.path, "\n", event.value.text, "\n"}));
  } else {
    for (std::string_view piece : {std::string_view(header), std::string_view(event.path), std::string_view("\n"),
                                   std::string_view(event.value.text), std::string_view("\n")})
      unflushed_ += piece;
  }
  ++sequence_;
  return {};
}

Result<void> MeasureLog::open_file() {
  PLZ_ASSIGN(file_, plz::open_file(path_, O_RDWR | O_CREAT | O_APPEND, 0600));
  return {};
}

Result<void> MeasureLog::flush() {
  if (unflushed_.empty()) return {};
  PLZ_TRY(append({unflushed_}));
  std::string().swap(unflushed_);
  return {};
}

Result<void> MeasureLog::append(std::initializer_list<std::string_view> pieces) {
  if (!file_) PLZ_TRY(open_file());
  // After a write that failed half way, what it left is cut off first.
  if (ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) return fail_errno("cannot cut " + path_);
  size_t bytes = 0;
  for (std::string_view piece : pieces) {
    PLZ_TRY(write_all(file_.get(), piece));
    bytes += piece.size();
  }
  size_ += bytes;
  return {};
}

Result<std::optional<MeasureLog::Record>> MeasureLog::read_record(uint64_t offset, bool with_value) {
  char header[kLongestHeader];
  PLZ_ASSIGN(size_t size, pread_up_to(file_.get(), header, sizeof header, offset));
  std::string_view line(header, size);
  size_t line_end = line.find('\n');
  if (line_end == line.npos) return std::optional<Record>();
  auto words = split(line.substr(0, line_end), ' ');
  Record record;
  int64_t time = 0, index = 0;
  size_t path_bytes = 0;
  bool whole = words.size() == 10 && number(words[0], record.event.sequence) && number(words[1], time) &&
               (words[2] == "-" || number(words[2], index)) && number(words[3], record.stamp.inode) &&
               number(words[4], record.stamp.bytes) && number(words[5], record.stamp.mtime_ns) &&
               number(words[6], record.stamp.ctime_ns) && number(words[7], record.stamp.content_hash) &&
               number(words[8], path_bytes) && number(words[9], record.value_bytes);
  if (!whole || path_bytes > kNoLength || record.value_bytes > kNoLength) return std::optional<Record>();
  record.event.time = Timestamp(std::chrono::microseconds(time));
  if (words[2] != "-") record.event.index = index;
  const uint64_t path_at = offset + line_end + 1;
  const uint64_t value_at = path_at + path_bytes + 1;
  record.end = value_at + record.value_bytes + 1;
  char last = 0;
  PLZ_ASSIGN(size_t has_last, pread_up_to(file_.get(), &last, 1, record.end - 1));
  if (has_last == 0 || last != '\n') return std::optional<Record>();
  record.event.path.resize(path_bytes);
  PLZ_TRY(pread_up_to(file_.get(), record.event.path.data(), path_bytes, path_at));
  if (with_value) {
    record.event.value.text.resize(record.value_bytes);
    PLZ_TRY(pread_up_to(file_.get(), record.event.value.text.data(), record.value_bytes, value_at));
  }
  return std::optional(std::move(record));
}

Result<std::vector<MeasureEvent>> MeasureLog::next(size_t most_events, size_t most_bytes) {
  std::vector<MeasureEvent> events;
  size_t bytes = 0;
  given_ = taken_;
  while (given_ < size_ && events.size() < most_events) {
    PLZ_ASSIGN(auto record, read_record(given_, true));
    if (!record) return fail(ErrorCode::internal, path_ + " was damaged while it was in use");
    bytes += record->value_bytes;
    if (!events.empty() && bytes > most_bytes) break;
    given_ = record->end;
    events.push_back(std::move(record->event));
  }
  return events;
}

}  // namespace plz
