// Looks at SQLite's write-ahead log before SQLite does: where a frame of it is damaged, SQLite takes that for the log's
// end, and what was committed after it is gone without a word.
// The format: https://www.sqlite.org/fileformat2.html#walformat
#pragma once

#include <string>

#include "base/result.h"

namespace plz {

// Of a database that was in use when its process or machine ended, and that has been written to since it was opened:
// its log is FILE-wal. damaged: it is not there, or something that was committed cannot be read. Where its very last
// frame does not match and no record (CommitRecord) says that it was committed, that is taken for a write that was cut
// off by the end of the process. Reads all of the log.
Result<void> check_write_ahead_log(const std::string& database);

}  // namespace plz
