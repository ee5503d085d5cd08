// Read-only connections, opened when asked for. A few are kept; more exist only while they are used,
// so that a slow reader never makes another one wait.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/sqlite/connection.h"

namespace plz {

// Thread-safe. Outlives what it lent.
class ReaderPool {
 public:
  static constexpr size_t kKept = 4;

  explicit ReaderPool(std::string path) : path_(std::move(path)) {}

  struct GiveBack {
    ReaderPool* pool;
    void operator()(Connection* connection) const { pool->give_back(connection); }
  };
  using Reader = std::unique_ptr<Connection, GiveBack>;
  Result<Reader> take();
  void close_idle();

 private:
  void give_back(Connection* connection);

  std::string path_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;  // guarded by mutex_
};

}  // namespace plz
