#include "logs/log_sums.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "os/file.h"

namespace plz {
namespace {

constexpr std::string_view kMagic = "plzsums1";
constexpr uint64_t kHeaderBytes = 16, kEntryBytes = 16;

std::string header_text() {
  std::string text(kMagic);
  const uint32_t numbers[2] = {static_cast<uint32_t>(LogSums::kPieceBytes), 0};
  text.append(reinterpret_cast<const char*>(numbers), sizeof numbers);
  return text;
}

void add_damage(std::vector<LogDamage>& all, LogDamage more) {
  if (more.from >= more.to) return;
  if (!all.empty() && all.back().to == more.from && all.back().fault == more.fault) all.back().to = more.to;
  else all.push_back(std::move(more));
}

}  // namespace

struct LogSums::Entry {
  uint64_t checksum = 0;
  uint32_t bytes = 0;

  uint32_t guard(uint64_t number) const {
    char text[20];
    memcpy(text, &checksum, 8);
    memcpy(text + 8, &bytes, 4);
    memcpy(text + 12, &number, 8);
    return static_cast<uint32_t>(XXH3_64bits(text, sizeof text));
  }
  void encode(uint64_t number, std::string& text) const {
    const uint32_t check = guard(number);
    text.append(reinterpret_cast<const char*>(&checksum), 8);
    text.append(reinterpret_cast<const char*>(&bytes), 4);
    text.append(reinterpret_cast<const char*>(&check), 4);
  }
};

struct LogSums::Running {
  XXH3_state_t state;
};

LogSums::LogSums(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
LogSums::~LogSums() = default;

Result<std::unique_ptr<LogSums>> LogSums::open(const std::string& path) {
  auto fd = open_file(path, O_RDWR);
  if (!fd && fd.error().code == ErrorCode::invalid) fd = open_file(path, O_RDONLY);
  if (!fd && fd.error().code == ErrorCode::not_found) return nullptr;
  if (!fd) return fail(std::move(fd).error());
  std::unique_ptr<LogSums> sums(new LogSums(path, std::move(*fd)));
  PLZ_TRY(sums->read_end());
  return sums;
}

Result<std::unique_ptr<LogSums>> LogSums::create(const std::string& path) {
  PLZ_ASSIGN(UniqueFd fd, open_file(path, O_RDWR | O_CREAT | O_TRUNC, 0600));
  PLZ_TRY(pwrite_all(fd.get(), header_text(), 0));
  return std::unique_ptr<LogSums>(new LogSums(path, std::move(fd)));
}

// The last entry that is one. A file that has been made and no more, or whose end the machine did not live to write,
// speaks of nothing yet.
Result<void> LogSums::read_end() {
  char header[kHeaderBytes] = {};
  PLZ_ASSIGN(const size_t size, pread_up_to(fd_.get(), header, sizeof header, 0));
  const std::string_view found(header, sizeof header);
  header_is_damaged_ = found != header_text() && size == kHeaderBytes && found != std::string(kHeaderBytes, '\0');
  header_is_there_ = found == header_text();
  if (!header_is_there_) return {};
  struct stat st;
  if (fstat(fd_.get(), &st) != 0) return fail_errno("cannot stat " + path_);
  const auto bytes = static_cast<uint64_t>(st.st_size);
  for (uint64_t number = bytes < kHeaderBytes ? 0 : (bytes - kHeaderBytes) / kEntryBytes; number-- > 0;) {
    auto entry = read_entry(number);
    if (!entry || !*entry) continue;
    covered_ = number * kPieceBytes + (*entry)->bytes;
    return {};
  }
  return {};
}

// nullopt: nothing is said of this piece. damaged: whatever was said cannot be read.
Result<std::optional<LogSums::Entry>> LogSums::read_entry(uint64_t number) const {
  char text[kEntryBytes] = {};
  PLZ_ASSIGN(const size_t size, pread_up_to(fd_.get(), text, sizeof text, kHeaderBytes + number * kEntryBytes));
  if (size < sizeof text || std::string_view(text, size) == std::string(kEntryBytes, '\0')) return std::nullopt;
  Entry entry;
  uint32_t check = 0;
  memcpy(&entry.checksum, text, 8);
  memcpy(&entry.bytes, text + 8, 4);
  memcpy(&check, text + 12, 4);
  if (check != entry.guard(number) || entry.bytes > kPieceBytes)
    return fail(ErrorCode::damaged, "their checksum in " + path_ + " is damaged");
  return entry;
}

Result<void> LogSums::go_back_to(uint64_t bytes) {
  if (bytes >= covered_) return {};
  covered_ = bytes / kPieceBytes * kPieceBytes;
  running_.reset();
  return {};
}

Result<void> LogSums::take_up(int log) {
  if (!header_is_there_) PLZ_TRY(pwrite_all(fd_.get(), header_text(), 0));
  header_is_there_ = true;
  header_is_damaged_ = false;
  auto running = std::make_unique<Running>();
  XXH3_64bits_reset(&running->state);
  const uint64_t begin = covered_ / kPieceBytes * kPieceBytes;
  std::string piece(covered_ - begin, '\0');
  PLZ_ASSIGN(const size_t size, pread_up_to(log, piece.data(), piece.size(), begin));
  XXH3_64bits_update(&running->state, piece.data(), size);
  running_ = std::move(running);
  return {};
}

Result<void> LogSums::add(int log, std::string_view bytes) {
  if (!running_) PLZ_TRY(take_up(log));
  const uint64_t first = covered_ / kPieceBytes;
  uint64_t at = covered_;
  std::string entries;
  while (!bytes.empty()) {
    const uint64_t number = at / kPieceBytes;
    const std::string_view part = bytes.substr(0, (number + 1) * kPieceBytes - at);
    XXH3_64bits_update(&running_->state, part.data(), part.size());
    at += part.size();
    bytes.remove_prefix(part.size());
    const auto length = static_cast<uint32_t>(at - number * kPieceBytes);
    Entry{XXH3_64bits_digest(&running_->state), length}.encode(number, entries);
    if (length == kPieceBytes) XXH3_64bits_reset(&running_->state);
  }
  auto written = pwrite_all(fd_.get(), entries, kHeaderBytes + first * kEntryBytes);
  if (!written) {
    running_.reset();
    return fail(std::move(written).error().with_context("cannot write to " + path_));
  }
  covered_ = at;
  return {};
}

Result<void> LogSums::end_here() {
  const uint64_t pieces = (covered_ + kPieceBytes - 1) / kPieceBytes;
  const auto bytes = static_cast<off_t>(kHeaderBytes + pieces * kEntryBytes);
  struct stat st;
  if (fstat(fd_.get(), &st) != 0) return fail_errno("cannot stat " + path_);
  if (st.st_size > bytes && ftruncate(fd_.get(), bytes) != 0) return fail_errno("cannot truncate " + path_);
  return {};
}

void LogSums::begin_sync() { (void)sync_file_range(fd_.get(), 0, 0, SYNC_FILE_RANGE_WRITE); }

Result<std::vector<LogDamage>> LogSums::damage(int log, uint64_t log_bytes, uint64_t from) const {
  std::vector<LogDamage> found;
  if (header_is_damaged_) {
    add_damage(found, {0, std::max<uint64_t>(log_bytes, 1), "their checksums in " + path_ + " are damaged"});
    return found;
  }
  struct stat st;
  if (fstat(fd_.get(), &st) != 0) return fail_errno("cannot stat " + path_);
  const auto bytes = static_cast<uint64_t>(st.st_size);
  const uint64_t entries = bytes < kHeaderBytes ? 0 : (bytes - kHeaderBytes) / kEntryBytes;
  std::string piece(std::min(kPieceBytes, std::max<uint64_t>(log_bytes, 1)), '\0');
  for (uint64_t number = from / kPieceBytes; number < entries; ++number) {
    const uint64_t begin = number * kPieceBytes;
    const uint64_t there = log_bytes > begin ? std::min(log_bytes - begin, kPieceBytes) : 0;
    auto entry = read_entry(number);
    if (!entry && entry.error().code != ErrorCode::damaged) return fail(std::move(entry).error());
    if (!entry) {
      add_damage(found, {begin, begin + std::max<uint64_t>(there, 1), entry.error().message});
      continue;
    }
    if (!*entry) continue;
    const uint64_t told = (*entry)->bytes;
    PLZ_ASSIGN(const size_t size, pread_up_to(log, piece.data(), std::min(there, told), begin));
    if (size < told) add_damage(found, {begin + size, begin + told, "they are gone"});
    else if (XXH3_64bits(piece.data(), size) != (*entry)->checksum)
      add_damage(found, {begin, begin + told, "they are not what was written"});
  }
  return found;
}

}  // namespace plz
