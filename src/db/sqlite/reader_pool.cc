#include "db/sqlite/reader_pool.h"

namespace plz {

Result<ReaderPool::Reader> ReaderPool::take() {
  {
    std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      Connection* connection = idle_.back().release();
      idle_.pop_back();
      return Reader(connection, GiveBack{this});
    }
  }
  PLZ_ASSIGN(auto connection, Connection::open(path_, Connection::Mode::read_only));
  return Reader(connection.release(), GiveBack{this});
}

void ReaderPool::give_back(Connection* connection) {
  std::unique_ptr<Connection> owned(connection);
  std::lock_guard lock(mutex_);
  if (idle_.size() < kKept) idle_.push_back(std::move(owned));
}

void ReaderPool::close_idle() {
  std::lock_guard lock(mutex_);
  idle_.clear();
}

}  // namespace plz
