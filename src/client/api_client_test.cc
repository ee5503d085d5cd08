#include "client/api_client.h"

#include <gtest/gtest.h>

#include "client/client_fixture.h"
#include "net/problem.h"

namespace plz {
namespace {

using testing_client::Asked;
using testing_client::json;
using testing_client::ScriptedServer;

const ExecutionId kId = *ExecutionId::parse("019aab9e-3c6f-7d52-9d0f-000000000003");
const std::string kPath = "/v1/executions/019aab9e-3c6f-7d52-9d0f-000000000003";

Execution execution_in(ExecutionState state) {
  Execution execution;
  execution.id = kId;
  execution.spec.user = "ada";
  execution.state = state;
  return execution;
}

std::string collect(ApiClient& client, const LogsRequest& logs) {
  std::string text;
  auto result = client.logs(logs, [&](std::string_view piece) -> Result<void> {
    text += piece;
    return {};
  });
  EXPECT_TRUE(result);
  return text;
}

TEST(ApiClient, TurnsProblemsBackIntoErrors) {
  ScriptedServer server([](const Asked&) {
    return problem_response(Error{ErrorCode::not_found, "there is no execution x", "plz list shows them"}, "r");
  });
  ApiClient client(server.endpoint());
  auto execution = client.execution(kId);
  ASSERT_FALSE(execution);
  EXPECT_EQ(execution.error().code, ErrorCode::not_found);
  EXPECT_EQ(execution.error().message, "there is no execution x");
  EXPECT_EQ(execution.error().hint, "plz list shows them");
}

TEST(ApiClient, SaysThatNobodyIsThere) {
  ApiClient client(Endpoint{.kind = Endpoint::Kind::unix_socket, .path = "/nonexistent/socket"});
  auto ping = client.ping();
  ASSERT_FALSE(ping);
  EXPECT_EQ(ping.error().code, ErrorCode::unavailable);
}

TEST(ApiClient, SubmitsWithItsKey) {
  ScriptedServer server([](const Asked&) { return json(id_to_json(kId), 201); });
  ApiClient client(server.endpoint());
  Submission submission;
  submission.spec.command = {"true"};
  EXPECT_EQ(client.submit(submission, "key-1"), kId);
  EXPECT_EQ(server.last().target, "/v1/executions");
  EXPECT_EQ(server.last().idempotency_key, "key-1");
  EXPECT_EQ(submission_from_json(server.last().body)->spec, submission.spec);
}

TEST(ApiClient, WaitsUntilItHasFinished) {
  ScriptedServer server([](const Asked&) { return json(execution_to_json(execution_in(ExecutionState::finished))); });
  ApiClient client(server.endpoint());
  auto execution = client.wait(kId, std::chrono::hours(2));
  ASSERT_TRUE(execution) << execution.error().message;
  EXPECT_EQ(execution->state, ExecutionState::finished);
  EXPECT_EQ(server.last().target, kPath + "?wait=600");
}

TEST(ApiClient, StopsWaitingInTime) {
  ScriptedServer server([](const Asked&) { return json(execution_to_json(execution_in(ExecutionState::running))); });
  ApiClient client(server.endpoint());
  auto execution = client.wait(kId, std::chrono::seconds(0));
  ASSERT_TRUE(execution);
  EXPECT_EQ(execution->state, ExecutionState::running);
}

TEST(ApiClient, AsksForThatPartOfTheLog) {
  ScriptedServer server([](const Asked&) { return json("log\n"); });
  ApiClient client(server.endpoint());
  LogsRequest logs{.id = kId, .offset = 3, .follow = false};
  EXPECT_EQ(collect(client, logs), "log\n");
  EXPECT_EQ(server.last().target, kPath + "/logs?follow=0&offset=3");
  logs.since = "2026-01-01T00:00:00+01:00";
  logs.follow = true;
  collect(client, logs);
  EXPECT_EQ(server.last().target, kPath + "/logs?follow=1&since=2026-01-01T00:00:00+01:00");
  logs.from_now = true;
  collect(client, logs);
  EXPECT_EQ(server.last().target, kPath + "/logs?follow=1&from=now");
}

TEST(ApiClient, TellsWhereALogBegins) {
  std::string offset = "12345678901";
  ScriptedServer server([&](const Asked&) {
    Response response = json("log\n");
    response.headers.add("Plz-Log-Offset", offset);
    return response;
  });
  ApiClient client(server.endpoint());
  std::vector<std::optional<uint64_t>> begun;
  std::string text;
  auto look = [&] {
    return client.logs(
        {.id = kId, .from_now = true},
        [&](std::string_view piece) -> Result<void> {
          EXPECT_EQ(begun.size(), 1u);
          text += piece;
          return {};
        },
        [&](std::optional<uint64_t> at) { begun.push_back(at); });
  };
  EXPECT_TRUE(look());
  EXPECT_EQ(std::exchange(begun, {}), std::vector{std::optional<uint64_t>(12345678901)});
  offset = "-1";
  EXPECT_TRUE(look());
  EXPECT_EQ(begun, std::vector{std::optional<uint64_t>()});
  EXPECT_EQ(text, "log\nlog\n");
}

TEST(ApiClient, ALogThatIsRefusedDoesNotBegin) {
  ScriptedServer server([](const Asked&) { return problem_response(Error{ErrorCode::not_found, "no", {}}, "r"); });
  bool begun = false;
  EXPECT_FALSE(ApiClient(server.endpoint())
                   .logs(
                       {.id = kId}, [](std::string_view) -> Result<void> { return {}; },
                       [&](std::optional<uint64_t>) { begun = true; }));
  EXPECT_FALSE(begun);
}

// As this controller answers, and as an older one does.
TEST(ApiClient, ReadsPartsPageByPage) {
  Execution part = execution_in(ExecutionState::queued);
  part.spec.indices = IndexRange{3, 4};
  ScriptedServer server([&](const Asked& asked) {
    if (asked.target.find("cursor") != std::string::npos)
      return json(execution_page_to_json({{part, part}, std::nullopt}));
    return json("{\"executions\": [" + brief_part_to_json(part) + "], \"cursor\": \"" + kId.to_string() + "\"}");
  });
  ApiClient client(server.endpoint());
  auto first = client.parts(kId, std::nullopt);
  ASSERT_TRUE(first);
  ASSERT_EQ(first->executions.size(), 1u);
  EXPECT_EQ(first->executions[0].spec.indices, part.spec.indices);
  EXPECT_EQ(first->cursor, kId);
  auto second = client.parts(kId, first->cursor);
  ASSERT_TRUE(second);
  ASSERT_EQ(second->executions.size(), 2u);
  EXPECT_EQ(second->executions[1].spec.indices, part.spec.indices);
  EXPECT_FALSE(second->cursor);
}

TEST(ApiClient, NamesWhatItWants) {
  ScriptedServer server([](const Asked& asked) {
    if (asked.target.find("last") != std::string::npos) return json(id_to_json(kId));
    if (asked.target.find("kill") != std::string::npos) return json(kill_answer_to_json({}));
    if (asked.target.find("instances") != std::string::npos) return json(instances_to_json({}));
    if (asked.target.find("captures") != std::string::npos) return json(capture_report_to_json({}));
    if (asked.target == "/v1/ping") return json(ping_to_json(Ping{"0.1", 1, true, 5, 0}));
    return json(asked.method == "GET" && asked.target.starts_with("/v1/executions?") ? execution_page_to_json({})
                                                                                     : "{}");
  });
  ApiClient client(server.endpoint());
  EXPECT_EQ(client.ping()->pid, 5);
  EXPECT_EQ(client.last("ada & co", "p"), kId);
  EXPECT_EQ(server.last().target, "/v1/executions/last?project=p&user=ada & co");
  EXPECT_TRUE(client.list({.user = "ada", .unfinished = true, .limit = 5}));
  EXPECT_EQ(server.last().target, "/v1/executions?limit=5&unfinished=1&user=ada");
  EXPECT_EQ(client.measures(kId, "summary"), "{}");
  EXPECT_EQ(server.last().target, kPath + "/measures?prefix=summary");
  EXPECT_TRUE(client.stop(kId, std::chrono::seconds(3)));
  EXPECT_EQ(server.last().target, kPath + "/stop?grace=3");
  EXPECT_TRUE(client.capture_output(kId));
  EXPECT_EQ(server.last().target, kPath + "/output-captures");
  EXPECT_TRUE(client.instances());
  EXPECT_TRUE(client.kill({}));
  EXPECT_TRUE(client.attempts_json(kId));
  EXPECT_TRUE(client.shut_down("newer"));
  EXPECT_EQ(server.last().body, "{\"reason\": \"newer\"}");
  EXPECT_TRUE(client.history({.where = "a < 1", .limit = 2}, [](std::string_view) { return Result<void>(); }));
  EXPECT_EQ(server.last().target, "/v1/history?format=json&limit=2&where=a < 1");
}

TEST(ApiClient, RefusesAnAnswerThatIsNoAnswer) {
  ScriptedServer server([](const Asked&) { return json("<html>"); });
  ApiClient client(server.endpoint());
  auto execution = client.execution(kId);
  ASSERT_FALSE(execution);
  EXPECT_EQ(execution.error().message, "not valid JSON: line 1, column 1: not a JSON value");
}

}  // namespace
}  // namespace plz
