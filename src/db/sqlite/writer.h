// The one writing connection. Callers hand it closures; whoever finds nobody at work runs all that
// have gathered in one transaction and commits once for all of them (a group commit, as leveldb's
// writer queue does it). There is no thread of its own.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "base/result.h"
#include "db/durability.h"
#include "db/sqlite/connection.h"

namespace plz {

// Thread-safe.
class Writer {
 public:
  // Runs within a transaction, on any thread. What it wrote is undone when it returns an error. It
  // may be run again (after the whole transaction was lost to somebody else's failure), so what it
  // leaves with its caller must be set anew each time.
  using Write = std::function<Result<void>(Connection&)>;

  explicit Writer(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
  // Blocks until the write is committed (`durable`: on disk too), or undone. Must not be called from
  // within a write.
  Result<void> run(Durability durability, const Write& write);

  size_t waiting();  // how many writes nobody has begun

  // For what must be done when nobody writes: closing, checkpoints.
  Connection& connection() { return *connection_; }

 private:
  struct Request {
    Durability durability;
    const Write& write;
    Result<void> result = {};
    bool done = false;
  };
  using Batch = std::deque<Request*>;

  void run_batch(const Batch& batch);
  Result<void> run_together(const Batch& batch);
  Result<void> run_guarded(Request& request);
  Result<void> begin(const Batch& batch);
  void roll_back();

  std::mutex mutex_;
  std::condition_variable changed_;
  Batch queue_;  // guarded by mutex_
  bool somebody_works_ = false;

  // Of whoever works.
  std::unique_ptr<Connection> connection_;
  Durability synchronous_ = Durability::durable;
};

}  // namespace plz
