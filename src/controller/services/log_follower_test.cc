// Logs as whoever asks the API for them gets them.
#include "controller/services/log_follower.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "controller/controller.h"
#include "controller/drain_test.h"
#include "db/memory/memory_database.h"
#include "logs/memory_log_store.h"
#include "provider/fake/fake_provider.h"
#include "store/hasher.h"
#include "store/memory/memory_pack_store.h"
#include "wire/execution_json.h"

namespace plz {
namespace {

class LogFollowerTest : public testing::Test {
 protected:
  LogFollowerTest()
      : database_(make_memory_database()),
        provider_(Capacity{2, 8u << 20, {}}),
        controller_({true, "0.1.0", std::nullopt, ""}, clock_, *database_, packs_, logs_, provider_) {
    EXPECT_TRUE(controller_.load());
    BlobRecord code;
    code.digest = code_tree_;
    EXPECT_TRUE(database_->blobs().add_pack(Uuid::make_v7(clock_), 0, std::span(&code, 1)));
  }

  ExecutionId submit(std::optional<IndexRange> indices = std::nullopt) {
    Submission submission;
    submission.spec.command = {"true"};
    submission.spec.snapshot.code_tree = code_tree_;
    submission.spec.parallel_indices_range = indices;
    auto id = controller_.context().executions.submit(std::move(submission), "");
    EXPECT_TRUE(id);
    return *id;
  }

  // A worker takes it in hand.
  AttemptId start(ExecutionId id) {
    Attempt attempt;
    attempt.id = AttemptId::make(clock_);
    attempt.execution_id = id;
    change(
        id,
        [&](Execution& execution) {
          execution.attempt_id = attempt.id;
          execution.state = ExecutionState::starting;
        },
        attempt);
    return attempt.id;
  }

  void finish(ExecutionId id) {
    change(id, [](Execution& execution) {
      execution.state = ExecutionState::finished;
      execution.outcome = Outcome{OutcomeKind::stopped, 0, {}, false, {}};
    });
  }

  void change(ExecutionId id, const std::function<void(Execution&)>& mutate, std::optional<Attempt> attempt = {}) {
    auto mutate_well = [&](Execution& execution) -> Result<void> {
      mutate(execution);
      return {};
    };
    auto changed = controller_.context().executions.change(id, mutate_well, Durability::relaxed, attempt);
    EXPECT_TRUE(changed) << changed.error().message;
  }

  void print(AttemptId attempt, uint64_t offset, std::string_view text) {
    EXPECT_TRUE(logs_.append(attempt.uuid(), offset, text));
    EXPECT_TRUE(logs_.add_marks(attempt.uuid(), {{clock_.now(), offset}}));
  }

  Response get(ExecutionId id, const std::string& query) {
    Request request;
    request.method = "GET";
    request.target = *parse_target("/v1/executions/" + id.to_string() + "/logs?" + query);
    return controller_.handle(request);
  }

  static std::string_view begins_at(const Response& response) {
    return response.headers.find(kLogOffsetHeader).value_or("nowhere");
  }

  const Digest code_tree_ = digest_of("a tree");
  FakeClock clock_;
  std::unique_ptr<Database> database_;
  MemoryPackStore packs_;
  MemoryLogStore logs_;
  FakeProvider provider_;
  Controller controller_;
};

TEST_F(LogFollowerTest, FromNowOnIsAllThatIsPrintedAfterTheRequest) {
  const ExecutionId id = submit();
  const Response while_queued = get(id, "from=now&follow=1");
  EXPECT_EQ(begins_at(while_queued), "0");
  const AttemptId attempt = start(id);
  print(attempt, 0, "early ");
  const Response while_running = get(id, "from=now&follow=1");
  EXPECT_EQ(begins_at(while_running), "6");
  print(attempt, 6, "late");
  finish(id);
  EXPECT_EQ(drain(*while_queued.stream), "early late");
  EXPECT_EQ(drain(*while_running.stream), "late");
}

TEST_F(LogFollowerTest, EachAnswerSaysWhereItBegins) {
  const ExecutionId id = submit();
  EXPECT_EQ(begins_at(get(id, "since=" + format_rfc3339(clock_.now()))), "0");
  const AttemptId attempt = start(id);
  print(attempt, 0, "early ");
  clock_.advance(std::chrono::seconds(10));
  print(attempt, 6, "late");
  const Response since = get(id, "since=" + format_rfc3339(clock_.now()));
  EXPECT_EQ(begins_at(since), "6");
  EXPECT_EQ(drain(*since.stream), "late");
  EXPECT_EQ(begins_at(get(id, "since=start")), "0");
  EXPECT_EQ(begins_at(get(id, "offset=7")), "7");
}

TEST_F(LogFollowerTest, FromNowOnOfACompositeLosesNothingOfAQueuedPart) {
  const ExecutionId id = submit(IndexRange{0, 2});
  const Response response = get(id, "from=now&follow=1");
  EXPECT_EQ(begins_at(response), "nowhere");
  std::vector<ExecutionId> parts;
  ASSERT_TRUE(controller_.context().executions.each_part(id, std::nullopt, [&](const Execution& part) {
    parts.push_back(part.id);
    return true;
  }));
  ASSERT_EQ(parts.size(), 2u);
  for (const ExecutionId part : parts) {
    print(start(part), 0, "a line\n");
    finish(part);
  }
  EXPECT_EQ(drain(*response.stream), "a line\na line\n");
}

}  // namespace
}  // namespace plz
