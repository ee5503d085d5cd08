#include "db/sqlite/wal_check.h"

#include <fcntl.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include <fmt/core.h>

#include "db/sqlite/commit_record.h"
#include "os/fd.h"
#include "os/file.h"

namespace plz {
namespace {

constexpr uint32_t kMagic = 0x377f0682;  // the last bit: checksums are of big-endian words
constexpr size_t kHeaderBytes = 32, kFrameHeaderBytes = 24;
constexpr uint32_t kLargestPage = 65536;

uint32_t big_endian(const char* at) {
  uint32_t value;
  memcpy(&value, at, sizeof value);
  return std::endian::native == std::endian::little ? __builtin_bswap32(value) : value;
}

struct Checksum {
  uint32_t first = 0, second = 0;
  bool operator==(const Checksum&) const = default;

  static Checksum at(const char* bytes) { return {big_endian(bytes), big_endian(bytes + 4)}; }
  void add(std::string_view bytes, bool words_are_big_endian) {
    const bool swap = words_are_big_endian == (std::endian::native == std::endian::little);
    for (size_t i = 0; i + 8 <= bytes.size(); i += 8) {
      uint32_t words[2];
      memcpy(words, bytes.data() + i, sizeof words);
      first += (swap ? __builtin_bswap32(words[0]) : words[0]) + second;
      second += (swap ? __builtin_bswap32(words[1]) : words[1]) + first;
    }
  }
};

// What every frame of a log shares.
struct LogHeader {
  bool big_endian_words = false;
  uint32_t page_bytes = 0;
  std::string salt;  // as it lies
  Checksum checksum;
};

std::optional<LogHeader> read_header(std::string_view bytes) {
  LogHeader header;
  header.big_endian_words = (big_endian(bytes.data()) & 1) != 0;
  header.page_bytes = big_endian(bytes.data() + 8);
  header.salt = bytes.substr(16, 8);
  header.checksum.add(bytes.substr(0, 24), header.big_endian_words);
  const bool is_whole = (big_endian(bytes.data()) & ~1u) == kMagic && header.page_bytes >= 512 &&
                        header.page_bytes <= kLargestPage && header.checksum == Checksum::at(bytes.data() + 24);
  if (!is_whole) return std::nullopt;
  return header;
}

tl::unexpected<Error> log_is_damaged(const std::string& path, const std::string& how) {
  return fail(ErrorCode::damaged,
              fmt::format("the database's write-ahead log {} {}: what was recorded last is lost "
                          "with it. Nothing was changed",
                          path, how),
              "put the file back as it was, and plz goes on as if nothing had been. Where it is lost: plz-controller "
              "recover goes on with what the database has without it");
}

}  // namespace

Result<void> check_write_ahead_log(const std::string& database) {
  const std::string path = database + "-wal";
  auto opened = open_file(path, O_RDONLY);
  if (!opened && opened.error().code == ErrorCode::not_found) return log_is_damaged(path, "is gone");
  PLZ_ASSIGN(UniqueFd fd, std::move(opened));
  std::string bytes(kHeaderBytes, '\0');
  PLZ_ASSIGN(size_t size, pread_up_to(fd.get(), bytes.data(), bytes.size(), 0));
  const auto header = size == kHeaderBytes ? read_header(bytes) : std::nullopt;
  if (!header) return log_is_damaged(path, size == 0 ? "is empty" : "has a damaged beginning");
  bytes.resize(kFrameHeaderBytes + header->page_bytes);
  Checksum before = header->checksum;
  std::optional<uint64_t> first_bad;
  uint64_t frames = 0, committed = 0;
  PLZ_ASSIGN(const auto reached, CommitRecord::read(database));
  for (uint64_t at = kHeaderBytes;; at += bytes.size()) {
    PLZ_ASSIGN(size, pread_up_to(fd.get(), bytes.data(), bytes.size(), at));
    if (size < bytes.size()) {
      if (!reached || reached->salt != header->salt || committed >= reached->frames) return {};
      return log_is_damaged(path, fmt::format("is damaged at byte {}", first_bad.value_or(at)));
    }
    const std::string_view frame(bytes);
    Checksum sum = before;
    sum.add(frame.substr(0, 8), header->big_endian_words);
    sum.add(frame.substr(kFrameHeaderBytes), header->big_endian_words);
    const Checksum stored = Checksum::at(frame.data() + 16);
    const bool matches = frame.substr(8, 8) == header->salt && sum == stored;
    // Frames that were written and never committed may lie after the end; a commit may not.
    const bool is_commit = big_endian(frame.data() + 4) != 0;
    if (!matches && !first_bad) first_bad = at;
    else if (matches && is_commit && first_bad)
      return log_is_damaged(path, fmt::format("is damaged at byte {}", *first_bad));
    ++frames;
    if (matches && is_commit && !first_bad) committed = frames;
    before = stored;
  }
}

}  // namespace plz
