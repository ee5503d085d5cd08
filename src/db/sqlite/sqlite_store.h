// What the classes of records share: one writer, and readers.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "db/durability.h"
#include "db/sqlite/commit_record.h"
#include "db/sqlite/open_cursors.h"
#include "db/sqlite/reader_pool.h"
#include "db/sqlite/writer.h"

namespace plz {

// What is done after each commit, by whoever made it.
struct CommitWatch {
  explicit CommitWatch(const std::string& database) : record(database) {}
  void note(int pages) {
    wal_pages = pages;
    record.note(static_cast<uint32_t>(pages));
  }

  std::atomic<int> wal_pages = 0;  // as of the last commit
  CommitRecord record;
};

// Thread-safe.
class SqliteStore {
 public:
  SqliteStore(const std::string& path, std::unique_ptr<Connection> writing, int max_wal_pages);
  // Closes all connections and leaves no write-ahead log behind. Readers must have come back.
  ~SqliteStore();

  // As Writer::run().
  Result<void> write(Durability durability, const Writer::Write& write);
  Result<ReaderPool::Reader> reader() { return readers_.take(); }
  OpenCursors& open_cursors() { return open_cursors_; }

 private:
  const int max_wal_pages_;
  CommitWatch commits_;
  OpenCursors open_cursors_;
  ReaderPool readers_;
  Writer writer_;
};

// A read transaction: statements within it see one state, and cost fewer system calls.
class ReadTransaction {
 public:
  static Result<ReadTransaction> begin(Connection& connection) {
    PLZ_TRY(connection.execute("BEGIN"));
    return ReadTransaction(connection);
  }
  ReadTransaction(ReadTransaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  ReadTransaction& operator=(ReadTransaction&&) = delete;
  ~ReadTransaction() {
    if (connection_) (void)connection_->execute("COMMIT");
  }

 private:
  explicit ReadTransaction(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
};

}  // namespace plz
