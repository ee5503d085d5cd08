#include "logs/memory_log_store.h"

#include <algorithm>
#include <cstring>

#include "logs/log_marks.h"

namespace plz {

Result<LogState> MemoryLogStore::append(const Uuid& attempt, uint64_t offset, std::string_view bytes) {
  LogState state;
  {
    std::lock_guard lock(mutex_);
    Log& log = logs_[attempt];
    uint64_t size = log.bytes.size();
    auto refuse = [&](const char* why) {
      return fail(ErrorCode::conflict, std::string("the log ") + why + ": it has " + std::to_string(size) + " bytes");
    };
    if (offset > size) return refuse("does not go on from there");
    bytes.remove_prefix(std::min<uint64_t>(size - offset, bytes.size()));
    if (bytes.empty()) return log.state();
    if (log.sealed) return refuse("is sealed");
    log.bytes += bytes;
    state = log.state();
  }
  subscribers_.wake(attempt);
  return state;
}

Result<void> MemoryLogStore::add_marks(const Uuid& attempt, const std::vector<LogMark>& marks) {
  std::lock_guard lock(mutex_);
  auto& stored = logs_[attempt].marks;
  auto last = stored.empty() ? std::nullopt : std::optional(stored.back());
  for (const LogMark& mark : LogMarks::to_append(last, marks)) stored.push_back(mark);
  return {};
}

Result<LogState> MemoryLogStore::state(const Uuid& attempt) {
  std::lock_guard lock(mutex_);
  auto it = logs_.find(attempt);
  return it == logs_.end() ? LogState{} : it->second.state();
}

Result<size_t> MemoryLogStore::read(const Uuid& attempt, uint64_t offset, void* buffer, size_t size) {
  std::lock_guard lock(mutex_);
  auto it = logs_.find(attempt);
  if (it == logs_.end() || offset >= it->second.bytes.size()) return 0;
  return it->second.bytes.copy(static_cast<char*>(buffer), size, offset);
}

Result<uint64_t> MemoryLogStore::offset_at(const Uuid& attempt, Timestamp time) {
  std::lock_guard lock(mutex_);
  const Log& log = logs_[attempt];
  for (const LogMark& mark : log.marks)
    if (mark.time + LogMarks::kSpacing > time) return std::min<uint64_t>(mark.offset, log.bytes.size());
  return log.bytes.size();
}

Result<void> MemoryLogStore::seal(const Uuid& attempt) {
  {
    std::lock_guard lock(mutex_);
    logs_[attempt].sealed = true;
  }
  subscribers_.wake(attempt);
  return {};
}

Result<void> MemoryLogStore::remove(const Uuid& attempt) {
  std::lock_guard lock(mutex_);
  logs_.erase(attempt);
  return {};
}

Result<LogLook> MemoryLogStore::look(const Uuid& attempt, uint64_t) {
  return state(attempt).map([](LogState state) { return LogLook{state.bytes, {}}; });
}

std::shared_ptr<void> MemoryLogStore::subscribe(const Uuid& attempt, std::function<void()> wake) {
  return subscribers_.subscribe(attempt, std::move(wake));
}

}  // namespace plz
