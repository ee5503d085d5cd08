// What an SQLite file must stand besides the contract: crashes, full disks, other files, other versions.
#include "db/sqlite/sqlite_database.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "db/database_samples.h"
#include "db/sqlite/connection.h"
#include "db/sqlite/migrations.h"
#include "os/file.h"

namespace plz {
namespace {

class SqliteDatabaseTest : public ::testing::Test {
 protected:
  SqliteDatabaseTest() {
    char name[] = "/tmp/plz_sqlite_test_XXXXXX";
    directory_ = mkdtemp(name);
    path_ = directory_ + "/plz.db";
  }
  ~SqliteDatabaseTest() override { (void)remove_tree(directory_); }

  std::unique_ptr<Database> open(const SqliteLimits& limits = {}) {
    auto database = open_sqlite_database(path_, limits);
    EXPECT_TRUE(database) << database.error().message;
    return std::move(*database);
  }
  Error refusal() {
    auto database = open_sqlite_database(path_);
    EXPECT_FALSE(database);
    return database ? Error{} : database.error();
  }
  void execute(const std::string& sql) {
    ASSERT_TRUE(open_file(path_, O_RDWR | O_CREAT, 0600));
    ASSERT_TRUE((*Connection::open(path_, Connection::Mode::read_write))->execute(sql));
  }
  void write(const std::string& content) { ASSERT_TRUE(write_file_atomically(path_, content, 0600, Sync::no)); }

  SystemClock clock_;
  std::string directory_, path_;
};

TEST_F(SqliteDatabaseTest, RecordsAreThereAfterReopening) {
  NewExecution created = sample_execution(clock_);
  created.shell = {{{"A", "b"}}, {}};
  created.shell.attributes.umask = 077;
  ASSERT_TRUE(open()->executions().create({created}, "key"));
  auto database = open();
  EXPECT_EQ((*database->executions().find(created.execution.id))->execution, created.execution);
  EXPECT_EQ(*database->executions().submitting_shell(created.execution.id), created.shell);
  EXPECT_EQ(*database->executions().create({sample_execution(clock_)}, "key"), created.execution.id);
}

TEST_F(SqliteDatabaseTest, OnlyItsOwnerMayReadIt) {
  auto database = open();
  ASSERT_TRUE(database->executions().create({sample_execution(clock_)}, ""));
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat st;
    ASSERT_EQ(stat((path_ + suffix).c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777, 0600u) << suffix;
  }
}

TEST_F(SqliteDatabaseTest, ClosingLeavesOneFile) {
  {
    auto database = open();
    EXPECT_TRUE(database->executions().each_unfinished([](const auto&) { return true; }));
  }
  EXPECT_EQ(*list_directory(directory_), std::vector<std::string>{"plz.db"});
}

TEST_F(SqliteDatabaseTest, ANewerSchemaIsRefused) {
  open();
  const std::string ours = std::to_string(migrations().size()), newer = std::to_string(migrations().size() + 1);
  execute("PRAGMA user_version = " + newer);
  Error error = refusal();
  EXPECT_EQ(error.code, ErrorCode::conflict);
  EXPECT_EQ(error.message, path_ + " was written by a newer plz (schema " + newer + "; this one knows " + ours + ")");
  EXPECT_EQ(error.hint, "use the newer plz, or another PLZ_DATA_DIR");
}

// An execution as schema 1 and format 1 of specs kept it.
const std::string kRowsOfSchema1 =
    R"(
  INSERT INTO executions VALUES (7, x'019aab9e3c6f7d529d0f0a4f2f1f7c11', 3, 4, 'ada', 'digits', 0, NULL, NULL,
    NULL, 1, NULL, '', 0, 1000, 2000, 3000, 4000, 5000, 1, 42, NULL, 0, '', NULL, 0, NULL);
  INSERT INTO documents VALUES (7, '{"user": "ada"}');
  INSERT INTO specs VALUES (7, x'010361646106646967697473010474727565027b7d)" +
    std::string(64, '0') + "0000000874322e6d6963726f0000017800000000000000f03f000000027b7d01027b7d027b7d0000020000')";

TEST_F(SqliteDatabaseTest, SchemaOneIsUpgraded) {
  execute(std::string(migrations()[0]) + kRowsOfSchema1 +
          "; PRAGMA application_id = 0x706c7a64; PRAGMA user_version = 1");
  auto database = open();
  auto id = *ExecutionId::parse("019aab9e-3c6f-7d52-9d0f-0a4f2f1f7c11");
  auto found = database->executions().find(id);
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_TRUE(*found);
  ExecutionRecord record = **found;
  EXPECT_EQ(record.version, 3u);
  EXPECT_EQ(record.execution.spec.command, (std::vector<std::string>{"true"}));
  EXPECT_EQ(record.execution.outcome->exit_status, 42);
  EXPECT_FALSE(record.execution.image);
  EXPECT_FALSE(record.execution.spec.snapshot.environment.uses_container());
  NewExecution next = sample_execution(clock_);
  next.execution.spec.snapshot.environment.dockerfile = true;
  ASSERT_TRUE(database->executions().create({next}, ""));
  next.execution.image = ImageIdentity{"sha256:1", ""};
  ASSERT_TRUE(*database->executions().save(next.execution, 0, std::nullopt, "", Durability::durable));
  EXPECT_EQ((*database->executions().find(next.execution.id))->execution, next.execution);
}

TEST_F(SqliteDatabaseTest, OtherPeoplesDatabasesAreLeftAlone) {
  execute("CREATE TABLE bookmarks (x)");
  std::string before = *read_file(path_);
  EXPECT_EQ(refusal().code, ErrorCode::invalid);
  EXPECT_EQ(*read_file(path_), before);
}

TEST_F(SqliteDatabaseTest, AFileThatIsNoDatabaseIsRefused) {
  write(std::string(10'000, 'x'));
  Error error = refusal();
  EXPECT_EQ(error.code, ErrorCode::damaged);
  EXPECT_NE(error.message.find(path_ + " is not a database"), std::string::npos);
}

TEST_F(SqliteDatabaseTest, DamageIsNamed) {
  ASSERT_TRUE(open()->executions().create({sample_execution(clock_)}, ""));
  std::string bytes = *read_file(path_);
  bytes.replace(4096, bytes.size() - 4096, bytes.size() - 4096, '\xee');
  write(bytes);
  auto database = open_sqlite_database(path_);
  auto list = database ? (*database)->executions().list({}, {}, 10) : fail(database.error());
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().code, ErrorCode::damaged);
  EXPECT_NE(list.error().message.find("is damaged"), std::string::npos) << list.error().message;
}

TEST_F(SqliteDatabaseTest, AMissingDirectoryIsNamed) {
  path_ = directory_ + "/none/plz.db";
  EXPECT_EQ(refusal().code, ErrorCode::not_found);
}

TEST_F(SqliteDatabaseTest, ASpecOfANewerFormatIsRefused) {
  NewExecution created = sample_execution(clock_);
  ASSERT_TRUE(open()->executions().create({created}, ""));
  execute("UPDATE specs SET spec = x'0900'");
  auto found = open()->executions().find(created.execution.id);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::conflict);
  EXPECT_NE(found.error().message.find(created.execution.id.to_string()), std::string::npos);
}

// A process that creates executions and tells their ids is killed again and again.
TEST_F(SqliteDatabaseTest, WhatWasReportedAsCreatedSurvivesSigkill) {
  std::set<std::string> reported;
  for (int round = 0; round < 6; ++round) {
    int pipe_fds[2];
    ASSERT_EQ(pipe(pipe_fds), 0);
    pid_t child = fork();
    if (child == 0) {
      auto database = open();
      auto create = [&] {
        for (;;) {
          auto id = database->executions().create({sample_execution(clock_)}, "");
          if (!id || !write_all(pipe_fds[1], id->to_string())) _exit(1);
        }
      };
      std::jthread other(create);
      create();
    }
    close(pipe_fds[1]);
    std::string ids(36 * (5 + 7 * static_cast<size_t>(round)), '\0');
    EXPECT_EQ(*read_up_to(pipe_fds[0], ids.data(), ids.size()), ids.size());
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
    std::string more(1 << 20, '\0');
    more.resize(*read_up_to(pipe_fds[0], more.data(), more.size()) / 36 * 36);
    close(pipe_fds[0]);
    ids += more;
    for (size_t at = 0; at < ids.size(); at += 36) reported.insert(ids.substr(at, 36));
  }
  auto database = open();
  for (const auto& id : reported) EXPECT_TRUE(*database->executions().find(*ExecutionId::parse(id))) << id;
  EXPECT_GT(reported.size(), 100u);
}

TEST_F(SqliteDatabaseTest, ReadersSeeWholeCompositesWhileTheyAreCreated) {
  auto database = open();
  std::atomic<bool> done = false;
  std::atomic<int> seen = 0;
  std::vector<std::jthread> readers;
  for (int r = 0; r < 2; ++r)
    readers.emplace_back([&] {
      while (!done) {
        auto all = database->executions().list({}, {}, 999);
        ASSERT_TRUE(all) << all.error().message;
        EXPECT_EQ(all->size() % 3, 0u);
        seen += !all->empty();
      }
    });
  for (int i = 0; i < 50 || seen < 10; ++i) {
    std::vector<NewExecution> composite{sample_execution(clock_), sample_execution(clock_), sample_execution(clock_)};
    ASSERT_TRUE(database->executions().create(composite, ""));
  }
  done = true;
}

TEST_F(SqliteDatabaseTest, ALongReaderDoesNotLetTheLogGrowWithoutBound) {
  auto database = open({.wal_pages = 1200});
  std::vector<NewExecution> many;
  for (int i = 0; i < 100; ++i) many.push_back(sample_execution(clock_));
  ASSERT_TRUE(database->executions().create(many, ""));
  Attempt attempt = sample_attempt(clock_, many[0].execution);
  ASSERT_TRUE(*database->executions().save(many[0].execution, 0, attempt, "", Durability::relaxed));

  auto cursor = *database->history().open({});
  std::vector<ExecutionId> seen{(*cursor->next())->id};
  MeasureEvent event = sample_event(0, "big", std::string(1 << 20, '1'));
  for (event.sequence = 1; event.sequence <= 40; ++event.sequence)
    ASSERT_TRUE(database->measures().append(attempt.execution_id, attempt.id, {event}));
  EXPECT_LT(*file_size(path_ + "-wal"), 16u << 20);

  ASSERT_TRUE(database->executions().create({sample_execution(clock_)}, ""));
  for (auto row = *cursor->next(); row; row = *cursor->next()) seen.push_back(row->id);
  ASSERT_EQ(seen.size(), 100u);
  for (size_t i = 0; i < 100; ++i) EXPECT_EQ(seen[i], many[99 - i].execution.id);
}

TEST_F(SqliteDatabaseTest, LargeMeasuresComeBackExactly) {
  auto database = open();
  NewExecution created = sample_execution(clock_);
  ASSERT_TRUE(database->executions().create({created}, ""));
  Attempt attempt = sample_attempt(clock_, created.execution);
  ASSERT_TRUE(*database->executions().save(created.execution, 0, attempt, "", Durability::relaxed));
  MeasureEvent event = sample_event(1, "big", std::string(50 << 20, '7'));
  ASSERT_TRUE(database->measures().append(attempt.execution_id, attempt.id, {event}));
  bool same = false;
  ASSERT_TRUE(
      database->measures().latest(attempt.id, "", [&](const MeasureEvent& found) { return same = found == event; }));
  EXPECT_TRUE(same);
}

// A small disk of its own, in a namespace where that needs no privilege. False: not permitted here.
bool mount_small_disk(const std::string& path, const std::string& size) {
  uid_t user = geteuid();
  gid_t group = getegid();
  if (unshare(CLONE_NEWNS | (user == 0 ? 0 : CLONE_NEWUSER)) != 0) return false;
  if (user != 0) {
    auto put = [](const char* file, const std::string& text) {
      UniqueFd fd(::open(file, O_WRONLY | O_CLOEXEC));
      return fd && write_all(fd.get(), text);
    };
    if (!put("/proc/self/setgroups", "deny") || !put("/proc/self/uid_map", "0 " + std::to_string(user) + " 1") ||
        !put("/proc/self/gid_map", "0 " + std::to_string(group) + " 1"))
      return false;
  }
  return mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("tmpfs", path.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
}

constexpr int kNotPermitted = 77;

// Fills the disk, sees the error, makes room, goes on. Returns the child's exit status.
int live_through_a_full_disk(const std::string& directory, const Clock& clock) {
  if (!mount_small_disk(directory, "3m")) return kNotPermitted;
  const std::string path = directory + "/plz.db", ballast = directory + "/ballast";
  if (!write_file_atomically(ballast, std::string(1 << 20, 'b'), 0600, Sync::no)) return 2;
  auto database = open_sqlite_database(path);
  if (!database) return 3;
  ExecutionRecords& executions = (*database)->executions();
  std::vector<ExecutionId> created;
  Result<ExecutionId> id = ExecutionId();
  for (;;) {
    NewExecution next = sample_execution(clock);
    next.document = std::string(50'000, 'd');
    id = executions.create({next}, "");
    if (!id) break;
    created.push_back(*id);
  }
  fprintf(stderr, "%zu created, then: %s\n", created.size(), id.error().message.c_str());
  if (id.error().code != ErrorCode::unavailable || id.error().message.find(path) == std::string::npos) return 4;
  if (created.size() < 5 || executions.list({}, {}, 10'000)->size() != created.size()) return 5;
  unlink(ballast.c_str());
  id = executions.create({sample_execution(clock)}, "");
  if (!id) return 6;
  created.push_back(*id);
  database->reset();
  database = open_sqlite_database(path);
  if (!database) return 7;
  for (ExecutionId each : created)
    if (auto found = (*database)->executions().find(each); !found || !*found) return 8;
  return 0;
}

TEST_F(SqliteDatabaseTest, LivesThroughAFullDisk) {
  pid_t child = fork();
  if (child == 0) _exit(live_through_a_full_disk(directory_, clock_));
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNotPermitted) GTEST_SKIP() << "no namespaces here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace plz
