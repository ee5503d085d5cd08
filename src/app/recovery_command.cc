#include "app/recovery_command.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "app/data_directory.h"
#include "app/file_ownership.h"
#include "base/text.h"
#include "controller/recovery.h"
#include "db/sqlite/sqlite_database.h"
#include "db/sqlite/wal_check.h"
#include "logs/file_log_store.h"
#include "os/file.h"
#include "store/local/local_pack_store.h"

namespace plz {
namespace {

void say(const std::string& line) {
  fputs((line + "\n").c_str(), stdout);
  fflush(stdout);
}

std::string user_of_this_process() {
  if (const char* name = getenv("USER"); name && *name) return name;
  const passwd* entry = getpwuid(geteuid());
  return entry ? entry->pw_name : std::to_string(geteuid());
}

// SQLite throws away what it cannot read: a copy stays.
Result<void> keep_damaged_log(const std::string& database) {
  const std::string log = database + "-wal";
  if (!path_exists(log) || check_write_ahead_log(database)) return {};
  PLZ_ASSIGN(std::string bytes, read_file(log, uint64_t{4} << 30));
  const std::string copy = log + ".damaged";
  PLZ_TRY(write_file_atomically(copy, bytes, 0600, Sync::yes));
  say(fmt::format("{} is damaged: a copy of it is {}. What the database had before goes on.", log, copy));
  return {};
}

Result<void> refuse_damaged_database(const std::string& database) {
  auto bytes = file_size(database);
  if (!bytes || *bytes == 0) {
    say(fmt::format("{} {}: a new one is made.", database, bytes ? "is empty" : "is gone"));
    return {};
  }
  auto glance = glance_at_sqlite_database(database, std::chrono::hours(24));
  if (glance) return {};
  Error error = glance.error();
  error.hint = fmt::format("move {} away, with its -wal and -shm if they are there, and repeat this: a new one is made",
                           database);
  return fail(error);
}

std::string plural(uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

void report(const Recovered& done, const DataDirectory& data) {
  say(fmt::format("Of {}/store {} with {} ({}) {} taken in.", data.path, plural(done.packs, "pack", "packs"),
                  plural(done.blobs, "blob", "blobs"), human_bytes(done.bytes), done.packs == 1 ? "was" : "were"));
  for (const std::string& pack : done.broken_packs) say("The pack " + pack + ". What lies behind is lost.");
  if (done.damaged_blobs > 0) say(plural(done.damaged_blobs, "blob is", "blobs are") + " damaged, and lost.");
  if (!done.useless_packs.empty())
    say(fmt::format("{} nothing that can be read; {}/unrecorded keeps {}.",
                    plural(done.useless_packs.size(), "pack has", "packs have"), data.store(),
                    done.useless_packs.size() == 1 ? "it" : "them"));
  if (done.missing_packs > 0)
    say(plural(done.missing_packs, "pack that the database knows is", "packs that the database knows are") +
        " not there: plz check tells what needs them.");
  say(
      fmt::format("{} and {} that no execution named {} now executions of the project '{}', one each: see plz history, "
                  "plz output, plz logs.",
                  plural(done.directories, "directory", "directories"), plural(done.logs, "log", "logs"),
                  done.directories + done.logs == 1 ? "is" : "are", kRecoveredProject));
  if (done.incomplete > 0) say(plural(done.incomplete, "directory is", "directories are") + " not whole.");
  if (done.directories + done.logs > 0)
    say("What cannot be had again: commands, parameters, measures, outcomes, and which code, input, output and log "
        "belong together.");
}

Result<void> recover(const std::string& directory, const std::string& user) {
  if (!path_exists(directory)) return fail(ErrorCode::not_found, "there is no directory " + directory);
  PLZ_ASSIGN(DataDirectory data, open_data_directory(directory));
  PLZ_TRY(refuse_damaged_database(data.database()));
  PLZ_TRY(keep_damaged_log(data.database()));
  PLZ_ASSIGN(auto database, open_sqlite_database(data.database()));
  PLZ_ASSIGN(auto packs, LocalPackStore::open(data.store()));
  PLZ_TRY(packs->take_back());
  PLZ_ASSIGN(auto logs, FileLogStore::open(data.logs()));
  std::vector<FoundLog> found;
  PLZ_ASSIGN(auto ids, logs->list());
  for (const Uuid& id : ids) {
    PLZ_ASSIGN(LogState state, logs->state(id));
    found.push_back({id, state.bytes});
  }
  SystemClock clock;
  Recovery recovery(*database, *packs, user, clock);
  PLZ_ASSIGN(Recovered done, recovery.run(found));
  for (const PackId& id : done.useless_packs) PLZ_TRY(packs->set_aside(id));
  FileOwnership ownership(data);
  PLZ_TRY(ownership.take(database->identity()));
  ownership.note_end();
  report(done, data);
  return {};
}

}  // namespace

int recovery_main(int argc, char** argv) {
  CLI::App app(
      "Where the database of a data directory is lost, an older copy or another's: takes in what lies in packs and "
      "logs, and says what cannot be had again. Nothing is removed. No controller may be running there.",
      "plz-controller recover");
  std::string directory, user = user_of_this_process();
  app.add_option("--data-directory", directory, "where database, store and logs lie")->required();
  app.add_option("--user", user, "whose the executions are that are made for what is found")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    fprintf(stderr, "plz-controller recover: %s\n", error.what());
    return 2;
  }
  auto done = recover(absolute_path(directory, current_directory().value_or("/")), user);
  if (done) return 0;
  fprintf(stderr, "plz-controller recover: %s\n", done.error().message.c_str());
  if (!done.error().hint.empty()) fprintf(stderr, "   %s\n", done.error().hint.c_str());
  return 1;
}

}  // namespace plz
