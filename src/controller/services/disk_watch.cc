#include "controller/services/disk_watch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include <fmt/core.h>

#include "base/patience.h"
#include "os/disk_room.h"
#include "os/file.h"

namespace plz {
namespace {

std::string_view in_need(ExecutionState state) {
  switch (state) {
    case ExecutionState::queued: return "its start waits for that";
    case ExecutionState::starting: return "its files and its start wait for that";
    case ExecutionState::running: return "its log, its measures and what it writes wait for that";
    case ExecutionState::finishing: return "its log, its output and its end wait for that";
    case ExecutionState::finished: break;
  }
  return "";
}

}  // namespace

std::string what_waits_for_room(ExecutionState state, const std::string& full_disks) {
  if (full_disks.empty() || state == ExecutionState::finished) return {};
  return fmt::format("{}{}; {}", kWaitsForRoom, full_disks, in_need(state));
}

void DiskWatch::hold_reserve() {
  if (directories_.empty()) return;
  struct stat status {};
  if (stat(reserve().c_str(), &status) == 0 && static_cast<uint64_t>(status.st_size) >= kReserveBytes) {
    is_held_ = true;
    return;
  }
  const auto room = disk_room(directories_.front());
  is_held_ = false;
  if (!room || room->free_bytes < 2 * kReserveBytes + DiskRoom::kLeastBytes) return;
  auto file = open_file(reserve(), O_WRONLY | O_CREAT, 0600);
  is_held_ = file && posix_fallocate(file->get(), 0, static_cast<off_t>(kReserveBytes)) == 0;
}

bool DiskWatch::release_reserve() {
  if (directories_.empty() || full().empty()) return false;
  is_held_ = false;
  struct stat status {};
  return stat(reserve().c_str(), &status) == 0 && status.st_size > 0 && truncate(reserve().c_str(), 0) == 0;
}

Result<void> DiskWatch::check_room() const {
  const std::string words = full();
  if (words.empty()) return {};
  return fail(ErrorCode::unavailable, std::string(kNoRoom) + words, "make room there; what was stored is not lost");
}

std::string DiskWatch::full() const {
  std::string words;
  std::set<dev_t> seen;
  for (const auto& directory : directories_) {
    struct stat status {};
    if (stat(directory.c_str(), &status) != 0 || !seen.insert(status.st_dev).second) continue;
    const auto room = disk_room(directory);
    if (!room) continue;
    // What was given up is for what must not wait.
    const bool is_given_up = directory == directories_.front() && !is_held_;
    if (!room->is_full() && !(is_given_up && room->free_bytes < kReserveBytes + DiskRoom::kLeastBytes)) continue;
    words += (words.empty() ? "" : "; ") + room->words();
  }
  return words;
}

Error DiskWatch::explained(Error error) const {
  if (error.code != ErrorCode::unavailable) return error;
  if (const std::string words = full(); !words.empty()) {
    error.message += fmt::format("; {}{}", kNoRoom, words);
    if (error.hint.empty()) error.hint = "make room there; what was stored is not lost";
  }
  return error;
}

}  // namespace plz
