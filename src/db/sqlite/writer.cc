#include "db/sqlite/writer.h"

#include <algorithm>

namespace plz {

Result<void> Writer::run(Durability durability, const Write& write) {
  Request request{durability, write};
  std::unique_lock lock(mutex_);
  queue_.push_back(&request);
  changed_.wait(lock, [&] { return request.done || !somebody_works_; });
  if (request.done) return std::move(request.result);

  Batch batch = std::exchange(queue_, {});
  somebody_works_ = true;
  lock.unlock();
  run_batch(batch);
  lock.lock();
  somebody_works_ = false;
  for (Request* each : batch) each->done = true;
  changed_.notify_all();
  return std::move(request.result);
}

size_t Writer::waiting() {
  std::lock_guard lock(mutex_);
  return queue_.size();
}

void Writer::run_batch(const Batch& batch) {
  auto result = run_together(batch);
  if (result) return;
  roll_back();
  if (batch.size() == 1) {
    batch.front()->result = std::move(result);
    return;
  }
  // One of them took the whole transaction with it. Each alone shows which one.
  for (Request* request : batch) run_batch({request});
}

// An error means that nothing of the batch was written. What fails of a single request is in its
// own result.
Result<void> Writer::run_together(const Batch& batch) {
  PLZ_TRY(begin(batch));
  for (Request* request : batch) {
    request->result = batch.size() == 1 ? request->write(*connection_) : run_guarded(*request);
    if (!request->result && (batch.size() == 1 || !connection_->in_transaction())) return request->result;
  }
  PLZ_ASSIGN(Statement commit, connection_->statement("COMMIT"));
  return commit.run();
}

Result<void> Writer::run_guarded(Request& request) {
  PLZ_TRY(connection_->execute("SAVEPOINT request"));
  auto result = request.write(*connection_);
  if (!connection_->in_transaction()) return result;
  auto ended = connection_->execute(result ? "RELEASE request" : "ROLLBACK TO request; RELEASE request");
  // Half of it might stay: let go of everything, and run_batch() tries each alone.
  if (!ended) roll_back();
  return ended ? result : ended;
}

Result<void> Writer::begin(const Batch& batch) {
  bool durable = std::any_of(batch.begin(), batch.end(),
                             [](const Request* request) { return request->durability == Durability::durable; });
  Durability wanted = durable ? Durability::durable : Durability::relaxed;
  if (wanted != synchronous_) {
    PLZ_TRY(connection_->execute(durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL"));
    synchronous_ = wanted;
  }
  PLZ_ASSIGN(Statement begin, connection_->statement("BEGIN IMMEDIATE"));
  return begin.run();
}

void Writer::roll_back() {
  if (connection_->in_transaction()) (void)connection_->execute("ROLLBACK");
}

}  // namespace plz
