// Rates of the database of records: history, creation, lookup of blobs. Prints a table.
//   bench_db [EXECUTIONS]        100000 by default; the files go to $TMPDIR, else /tmp
#include <time.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "db/database_samples.h"
#include "db/sqlite/sqlite_database.h"
#include "os/file.h"

namespace plz {
namespace {

SystemClock the_clock;

// Elapsed, and of the processor: on a busy machine the second says more.
struct Took {
  double elapsed_ms = 0, cpu_ms = 0;
};

double clock_ms(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

template <typename Work>
Took measure(Work work) {
  double elapsed = clock_ms(CLOCK_MONOTONIC), cpu = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
  work();
  return {clock_ms(CLOCK_MONOTONIC) - elapsed, clock_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu};
}

void report(const std::string& what, double value, const char* unit) {
  printf("%-52s %12.1f %s\n", what.c_str(), value, unit);
  fflush(stdout);
}

void report(const std::string& what, Took took) {
  printf("%-52s %12.2f ms         (processor: %.2f ms)\n", what.c_str(), took.elapsed_ms, took.cpu_ms);
  fflush(stdout);
}

void report_rate(const std::string& what, size_t count, Took took) {
  auto rate = [&](double ms) { return static_cast<double>(count) / ms * 1000; };
  printf("%-52s %12.0f a second   (processor: %.0f)\n", what.c_str(), rate(took.elapsed_ms), rate(took.cpu_ms));
  fflush(stdout);
}

template <typename T>
T checked(Result<T> result) {
  if (!result) {
    fprintf(stderr, "bench_db: %s\n", result.error().message.c_str());
    exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

double resident_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("VmRSS:", 0) == 0) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  return 0;
}

// About 1 KB, as an execution with a few parameters and measures has.
NewExecution sample(int number) {
  NewExecution created = sample_execution(the_clock, "ada", "project" + std::to_string(number % 4));
  created.document =
      "{\"id\":\"" + created.execution.id.to_string() +
      "\",\"user\":\"ada\",\"parameters\":{\"lr\":" + std::to_string(number % 100 * 0.001) +
      ",\"epochs\":10},\"measures\":{\"summary\":{\"accuracy\":" + std::to_string(number % 1000 * 0.001) +
      "}},\"command\":[\"python3\",\"train.py\"],\"padding\":\"";
  created.document += std::string(1000 - created.document.size(), 'x') + "\"}";
  created.shell.variables = {{"HOME", "/home/ada"}, {"PATH", "/usr/bin:/bin"}};
  return created;
}

void fill(Database& database, int count) {
  Took took = measure([&] {
    for (int i = 0; i < count;) {
      std::vector<NewExecution> many;
      for (; i < count && many.size() < 1000; ++i) many.push_back(sample(i));
      checked(database.executions().create(many, ""));
    }
  });
  report_rate("executions created, 1000 in a call", static_cast<size_t>(count), took);
}

void finish_all(Database& database) {
  auto unfinished = checked(database.executions().list({.unfinished_only = true}, std::nullopt, SIZE_MAX));
  Took took = measure([&] {
    for (auto& record : unfinished)
      checked(database.executions().save(finished_execution(record.execution, the_clock), record.version, std::nullopt,
                                         "", Durability::relaxed));
  });
  report_rate("executions saved, relaxed, 1 thread", unfinished.size(), took);
}

void stream_history(Database& database, const std::string& what, const HistoryQuery& query) {
  Took first;
  size_t rows = 0;
  Took took = measure([&] {
    std::unique_ptr<HistoryCursor> cursor;
    first = measure([&] {
      cursor = checked(database.history().open(query));
      rows += checked(cursor->next()).has_value();
    });
    while (checked(cursor->next())) ++rows;
  });
  report("history, " + what + ": first row", first);
  report("history, " + what + ": all " + std::to_string(rows) + " rows", took);
  report_rate("history, " + what, rows, took);
}

void create_durably(Database& database, int threads) {
  constexpr auto kTime = std::chrono::seconds(2);
  std::atomic<int> created = 0;
  Took took = measure([&] {
    auto end = std::chrono::steady_clock::now() + kTime;
    std::vector<std::jthread> all;
    for (int t = 0; t < threads; ++t)
      all.emplace_back([&] {
        while (std::chrono::steady_clock::now() < end) checked(database.executions().create({sample(created++)}, ""));
      });
  });
  report_rate("executions created, durable, " + std::to_string(threads) + " threads", static_cast<size_t>(created),
              took);
}

void measure_blobs(Database& database) {
  constexpr uint64_t kPacks = 10, kBlobs = 10'000;
  std::vector<Digest> digests;
  Took slowest;
  for (uint64_t p = 0; p < kPacks; ++p) {
    Uuid pack = Uuid::make_v7(the_clock);
    std::vector<BlobRecord> blobs;
    for (uint64_t i = 0; i < kBlobs; ++i) blobs.push_back(sample_blob(p * kBlobs + i, pack));
    for (const auto& blob : blobs) digests.push_back(blob.digest);
    Took took = measure([&] { checked(database.blobs().add_pack(pack, 1 << 20, blobs)); });
    if (took.elapsed_ms > slowest.elapsed_ms) slowest = took;
  }
  report("add_pack of 10,000 blobs, the slowest of 10", slowest);
  for (int i = 0; i < 2; ++i)
    report("find of 100,000 blobs", measure([&] { checked(database.blobs().find(digests)); }));
}

void measure_measures(Database& database) {
  NewExecution created = sample(0);
  ExecutionId id = checked(database.executions().create({created}, ""));
  Attempt attempt = sample_attempt(the_clock, created.execution);
  checked(database.executions().save(created.execution, 0, attempt, "", Durability::relaxed));
  std::vector<MeasureEvent> events;
  for (uint64_t i = 1; i <= 100'000; ++i)
    events.push_back(sample_event(i, "epoch/" + std::to_string(i) + "/loss", "0.25"));
  report("append of 100,000 measures", measure([&] { checked(database.measures().append(id, attempt.id, events)); }));
  size_t count = 0;
  report("latest of 100,000 measures", measure([&] {
           checked(database.measures().latest(attempt.id, "", [&](const MeasureEvent&) { return ++count > 0; }));
         }));
}

void run(int executions) {
  const char* base = getenv("TMPDIR");
  std::string directory = std::string(base ? base : "/tmp") + "/plz_bench_db_XXXXXX";
  if (!mkdtemp(directory.data())) exit(1);
  {
    auto database = checked(open_sqlite_database(directory + "/db"));
    fill(*database, executions);
    finish_all(*database);
  }
  {
    std::unique_ptr<Database> database;
    double before = resident_mib();
    report("open", measure([&] { database = checked(open_sqlite_database(directory + "/db")); }));
    stream_history(*database, "everything", {});
    report("resident memory, more than before", resident_mib() - before, "MiB");
    stream_history(*database, "of a user", {.user = "ada"});
    stream_history(*database, "of a project", {.user = "ada", .project = "project1"});
    stream_history(*database, "--limit 100", {.user = "ada", .project = "project1", .limit = 100});
    HistoryQuery query{.user = "ada"};
    query.where = checked(parse_where("parameters.lr < 0.05 and measures.summary.accuracy > 0.9"));
    stream_history(*database, "--where", query);
    report("list, the newest of a user",
           measure([&] { checked(database->executions().list({.user = "ada"}, {}, 1)); }));
    create_durably(*database, 1);
    create_durably(*database, 8);
    measure_blobs(*database);
    measure_measures(*database);
    report("resident memory, at the end", resident_mib(), "MiB");
  }
  (void)remove_tree(directory);
}

}  // namespace
}  // namespace plz

int main(int argc, char** argv) { plz::run(argc > 1 ? atoi(argv[1]) : 100'000); }
