#include "client/worker_client.h"

#include <gtest/gtest.h>

#include "client/client_fixture.h"
#include "net/problem.h"
#include "wire/measures_json.h"

namespace plz {
namespace {

using testing_client::Asked;
using testing_client::json;
using testing_client::ScriptedServer;

const AttemptId kAttempt = *AttemptId::parse("019aab9e-3c6f-7d52-9d0f-000000000004");
const InstanceId kInstance = *InstanceId::parse("019aab9e-3c6f-7d52-9d0f-000000000005");
const std::string kAttemptPath = "/v1/attempts/019aab9e-3c6f-7d52-9d0f-000000000004";
const Timestamp kTime{std::chrono::microseconds(1'700'000'000'000'001)};

TEST(WorkerClient, SaysWhatHappens) {
  ScriptedServer server([](const Asked&) { return json("{}"); });
  WorkerClient client(server.endpoint());
  ASSERT_TRUE(client.started(kAttempt, {kTime, ImageIdentity{"sha256:1", ""}}));
  EXPECT_EQ(server.last().target, kAttemptPath + "/started");
  EXPECT_EQ(moment_from_json(server.last().body)->time, kTime);
  EXPECT_EQ(moment_from_json(server.last().body)->image->id, "sha256:1");
  ASSERT_TRUE(client.command_ended(kAttempt, kTime));
  EXPECT_EQ(server.last().target, kAttemptPath + "/command-ended");
  MeasureEvent event{1, "a", kTime, JsonText{"1"}, std::nullopt};
  ASSERT_TRUE(client.measures(kAttempt, {event}));
  EXPECT_EQ(server.last().target, kAttemptPath + "/measures");
  EXPECT_EQ(measure_events_from_json(server.last().body), std::vector{event});
  FinishReport report;
  report.outcome.kind = OutcomeKind::succeeded;
  ASSERT_TRUE(client.finish(kAttempt, report));
  EXPECT_EQ(server.last().target, kAttemptPath + "/finish");
  ASSERT_TRUE(client.output_captured(kAttempt, "r/1", {}));
  EXPECT_EQ(server.last().target, kAttemptPath + "/output-captures/r/1");
  const InstanceId instance = *InstanceId::parse(kAttemptPath.substr(kAttemptPath.size() - 36));
  ASSERT_TRUE(client.collected(instance, "r2", {}));
  EXPECT_EQ(server.last().target, "/v1/workers/" + instance.to_string() + "/collections/r2");
}

TEST(WorkerClient, RegistersAndPolls) {
  ScriptedServer server([](const Asked& asked) {
    if (asked.target == "/v1/workers") return json(registered_to_json({kInstance, {kAttempt}}));
    WorkerOrders orders;
    orders.stops = {{kAttempt, 5}};
    return json(orders_to_json(orders));
  });
  WorkerClient client(server.endpoint());
  auto registered = client.register_worker({});
  ASSERT_TRUE(registered) << registered.error().message;
  EXPECT_EQ(registered->forget, std::vector{kAttempt});
  auto orders = client.poll(kInstance, std::chrono::seconds(7));
  ASSERT_TRUE(orders) << orders.error().message;
  EXPECT_EQ(orders->stops.at(0).grace_milliseconds, 5);
  EXPECT_EQ(server.last().target, "/v1/workers/" + kInstance.to_string() + "/poll?wait=7");
}

TEST(WorkerClient, TellsWhereTheLogGoesOn) {
  std::string answer = "{\"bytes\": 7}";
  int status = 200;
  ScriptedServer server([&](const Asked&) { return json(answer, status); });
  WorkerClient client(server.endpoint());
  EXPECT_EQ(client.append_log(kAttempt, AttemptLog::job, 4, kTime, "abc"), 7u);
  EXPECT_EQ(server.last().method + " " + server.last().target,
            "PUT " + kAttemptPath + "/log?offset=4&time=1700000000000001");
  EXPECT_EQ(server.last().body, "abc");
  status = 409, answer = "{\"bytes\": 2}";
  EXPECT_EQ(client.append_log(kAttempt, AttemptLog::job, 4, kTime, "abc"), 2u);
  status = 200;
  EXPECT_EQ(client.log_size(kAttempt, AttemptLog::job), 2u);
  EXPECT_EQ(client.log_size(kAttempt, AttemptLog::preparation), 2u);
  EXPECT_EQ(server.last().target, kAttemptPath + "/preparation-log");
  EXPECT_EQ(client.append_log(kAttempt, AttemptLog::preparation, 0, kTime, "=> a\n"), 2u);
  EXPECT_EQ(server.last().target, kAttemptPath + "/preparation-log?offset=0&time=1700000000000001");
}

TEST(WorkerClient, AsksForTheSizeWhereAConflictDoesNotTellIt) {
  ScriptedServer server([](const Asked& asked) {
    if (asked.method == "GET") return json("{\"bytes\": 9}");
    return problem_response(Error{ErrorCode::conflict, "somebody else appended", {}}, "r");
  });
  WorkerClient client(server.endpoint());
  EXPECT_EQ(client.append_log(kAttempt, AttemptLog::job, 4, kTime, "abc"), 9u);
}

TEST(WorkerClient, KnowsAnAttemptThatIsGone) {
  ScriptedServer server([](const Asked&) { return problem_response(Error{ErrorCode::not_found, "no", {}}, "r"); });
  WorkerClient client(server.endpoint());
  EXPECT_EQ(client.append_log(kAttempt, AttemptLog::job, 0, kTime, "abc").error().code, ErrorCode::not_found);
  EXPECT_EQ(client.finish(kAttempt, {}).error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace plz
