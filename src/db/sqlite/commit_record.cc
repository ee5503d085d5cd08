#include "db/sqlite/commit_record.h"

#include <fcntl.h>

#include <cstring>

#include "base/log.h"
#include "os/file.h"

namespace plz {
namespace {

constexpr std::string_view kMagic = "plzwal1\n";
constexpr size_t kRecordBytes = 24, kSaltAt = 16, kSaltBytes = 8;
constexpr uint32_t kGuard = 0x9e3779b9;

std::string record_path(const std::string& database) { return database + "-acknowledged"; }

std::string encode(std::string_view salt, uint32_t frames) {
  uint32_t word = 0;
  memcpy(&word, salt.data(), sizeof word);
  const uint32_t guard = frames ^ word ^ kGuard;
  std::string text = std::string(kMagic) + std::string(salt);
  text.append(reinterpret_cast<const char*>(&frames), sizeof frames);
  return text.append(reinterpret_cast<const char*>(&guard), sizeof guard);
}

}  // namespace

Result<std::optional<CommitRecord::Reached>> CommitRecord::read(const std::string& database) {
  PLZ_ASSIGN(const auto text, read_file_if_exists(record_path(database), 4096));
  if (!text || text->size() != kRecordBytes) return std::nullopt;
  Reached reached;
  reached.salt = text->substr(kMagic.size(), kSaltBytes);
  memcpy(&reached.frames, text->data() + kMagic.size() + kSaltBytes, sizeof reached.frames);
  if (*text != encode(reached.salt, reached.frames)) return std::nullopt;
  return reached;
}

void CommitRecord::note(uint32_t frames) {
  if (!record_ && !std::exchange(tried_, true)) {
    if (auto opened = open(); !opened) log_warning("{}", opened.error().message);
  }
  if (!record_) return;
  // Each time: a log that is begun anew has another one.
  std::string salt(kSaltBytes, '\0');
  auto size = pread_up_to(log_.get(), salt.data(), salt.size(), kSaltAt);
  if (size && *size == kSaltBytes) (void)pwrite_all(record_.get(), encode(salt, frames), 0);
}

Result<void> CommitRecord::open() {
  PLZ_ASSIGN(log_, open_file(database_ + "-wal", O_RDONLY));
  PLZ_ASSIGN(record_, open_file(record_path(database_), O_RDWR | O_CREAT, 0600));
  return {};
}

}  // namespace plz
