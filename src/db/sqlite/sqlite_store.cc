#include "db/sqlite/sqlite_store.h"

#include <sqlite3.h>

namespace plz {
namespace {

// After a commit that leaves so many pages in the write-ahead log they are copied to the database.
constexpr int kCheckpointPages = 1000;  // 4 MiB

// Takes the place of SQLite's own hook, which is the automatic checkpoint and nothing more.
int on_commit(void* watch, sqlite3* handle, const char* name, int pages) {
  static_cast<CommitWatch*>(watch)->note(pages);
  if (pages >= kCheckpointPages) sqlite3_wal_checkpoint_v2(handle, name, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  return SQLITE_OK;
}

}  // namespace

SqliteStore::SqliteStore(const std::string& path, std::unique_ptr<Connection> writing, int max_wal_pages)
    : max_wal_pages_(max_wal_pages), commits_(path), readers_(path), writer_(std::move(writing)) {
  sqlite3_wal_hook(writer_.connection().handle(), on_commit, &commits_);
}

SqliteStore::~SqliteStore() {
  readers_.close_idle();
  sqlite3_wal_checkpoint_v2(writer_.connection().handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
}

Result<void> SqliteStore::write(Durability durability, const Writer::Write& write) {
  auto result = writer_.run(durability, write);
  // It grows so far only while somebody holds a snapshot.
  if (commits_.wal_pages > max_wal_pages_) open_cursors_.release_all();
  return result;
}

}  // namespace plz
