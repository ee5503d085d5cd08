// Logs as files: DIRECTORY/xx/UUID.log holds the bytes and nothing else, so that any tool can read
// it; UUID.marks beside it is log_marks.h's, UUID.sums log_sums.h's. A log without permission to write is sealed. After
// a crash a log can be read as far as its file goes; appends go on where its checksums end.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "logs/log_store.h"
#include "logs/log_subscribers.h"

namespace plz {

// One process at a time may use a directory.
class FileLogStore final : public LogStore {
 public:
  // Makes the directory (mode 0700) if need be.
  static Result<std::unique_ptr<FileLogStore>> open(const std::string& directory);
  ~FileLogStore() override;
  // Those that have a file.
  Result<std::vector<Uuid>> list() const;

  // A full disk is unavailable; the log is then as it was before the call.
  Result<LogState> append(const Uuid& attempt, uint64_t offset, std::string_view bytes) override;
  Result<void> add_marks(const Uuid& attempt, const std::vector<LogMark>& marks) override;
  Result<LogState> state(const Uuid& attempt) override;
  Result<size_t> read(const Uuid& attempt, uint64_t offset, void* buffer, size_t size) override;
  Result<uint64_t> offset_at(const Uuid& attempt, Timestamp time) override;
  Result<void> seal(const Uuid& attempt) override;
  Result<void> remove(const Uuid& attempt) override;
  Result<LogLook> look(const Uuid& attempt, uint64_t from) override;
  Result<bool> take_anew(const Uuid& attempt, uint64_t from) override;
  std::shared_ptr<void> subscribe(const Uuid& attempt, std::function<void()> wake) override;

 private:
  static constexpr size_t kMaxOpen = 64;
  class Log;
  using LogPointer = std::shared_ptr<Log>;  // shared by the cache and by calls in progress

  explicit FileLogStore(std::string directory) : directory_(std::move(directory)) {}
  // nullptr: there is no file, and `create` is false.
  Result<LogPointer> find(const Uuid& attempt, bool create);
  // Also where the file was taken away, or replaced, since it was opened.
  Result<LogPointer> find_anew(const Uuid& attempt);
  void forget_oldest();
  std::string path_of(const Uuid& attempt, std::string_view suffix) const;

  std::string directory_;
  LogSubscribers subscribers_;
  std::mutex mutex_;
  std::list<std::pair<Uuid, LogPointer>> open_;                // guarded by mutex_; the last used one first
  std::unordered_map<Uuid, decltype(open_)::iterator> index_;  // guarded by mutex_
};

}  // namespace plz
