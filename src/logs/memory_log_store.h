// Logs in memory, for tests.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "logs/log_store.h"
#include "logs/log_subscribers.h"

namespace plz {

class MemoryLogStore final : public LogStore {
 public:
  Result<LogState> append(const Uuid& attempt, uint64_t offset, std::string_view bytes) override;
  Result<void> add_marks(const Uuid& attempt, const std::vector<LogMark>& marks) override;
  Result<LogState> state(const Uuid& attempt) override;
  Result<size_t> read(const Uuid& attempt, uint64_t offset, void* buffer, size_t size) override;
  Result<uint64_t> offset_at(const Uuid& attempt, Timestamp time) override;
  Result<void> seal(const Uuid& attempt) override;
  Result<void> remove(const Uuid& attempt) override;
  // Memory is not damaged.
  Result<LogLook> look(const Uuid& attempt, uint64_t from) override;
  Result<bool> take_anew(const Uuid&, uint64_t) override { return false; }
  std::shared_ptr<void> subscribe(const Uuid& attempt, std::function<void()> wake) override;

 private:
  struct Log {
    std::string bytes;
    bool sealed = false;
    std::vector<LogMark> marks;
    LogState state() const { return {bytes.size(), sealed}; }
  };

  LogSubscribers subscribers_;
  std::mutex mutex_;
  std::map<Uuid, Log> logs_;  // guarded by mutex_
};

}  // namespace plz
