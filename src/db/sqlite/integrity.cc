#include "db/sqlite/integrity.h"

#include <sqlite3.h>

#include "base/clock.h"

namespace plz {
namespace {

constexpr int kInstructionsBetweenLooks = 10'000;
constexpr const char* kFaultsTold = "(3)";

struct Watch {
  SystemClock clock;
  SteadyTime deadline;
  bool over = false;
};

int look_at_the_time(void* argument) {
  auto& watch = *static_cast<Watch*>(argument);
  watch.over = watch.clock.steady() >= watch.deadline;
  return watch.over ? 1 : 0;
}

Result<std::string> faults(Connection& connection, const char* pragma) {
  PLZ_ASSIGN(Statement query, connection.prepare(std::string("PRAGMA ") + pragma + kFaultsTold));
  std::string words;
  for (;;) {
    PLZ_ASSIGN(bool row, query.step());
    if (!row) return words == "ok" ? "" : words;
    words += (words.empty() ? "" : "; ") + query.column<std::string>(0);
  }
}

}  // namespace

Result<bool> check_integrity(Connection& connection, Thoroughness thoroughness,
                             std::optional<std::chrono::milliseconds> at_most) {
  Watch watch;
  if (at_most) {
    watch.deadline = watch.clock.steady() + *at_most;
    sqlite3_progress_handler(connection.handle(), kInstructionsBetweenLooks, look_at_the_time, &watch);
  }
  auto found = faults(connection, thoroughness == Thoroughness::quick ? "quick_check" : "integrity_check");
  sqlite3_progress_handler(connection.handle(), 0, nullptr, nullptr);
  if (watch.over) return false;
  if (!found) return fail(std::move(found).error());
  if (found->empty()) return true;
  std::string words = *found;
  for (char& character : words)
    if (character == '\n') character = ' ';
  return fail(ErrorCode::damaged, "the database " + connection.path() + " is damaged: " + words,
              "put back a copy of it; `sqlite3 FILE .recover` saves what is readable");
}

}  // namespace plz
