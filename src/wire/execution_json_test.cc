#include "wire/execution_json.h"

#include <gtest/gtest.h>

#include "wire/json_text.h"
#include "wire/sample_values.h"

namespace plz {
namespace {

constexpr const char* kSpecMembers =
    R"("user": "ada", "project": "digits \"é\"", "command": ["python3", "train.py", {"base64": "Y2Fm6Q=="}], )"
    R"("parameters": {"lr": 1e-3, "big": 12345678901234567890.10}, )"
    R"("snapshot": {"code_tree": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", )"
    R"("environment": {"image": "debian:12", "image_extensions": ["RUN true"], "dockerfile": true, )"
    R"("pinned": {"id": "sha256:1a", "digest": "debian@sha256:2b", "base_id": "sha256:6f", )"
    R"("base_digest": "debian@sha256:7a"}}}, )"
    R"("input": {"tree": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", )"
    R"("source": "file:///data", "total_bytes": 42}, "instance_type": "p3", "instance_market_type": "spot", )"
    R"("max_bid_price_in_dollars_per_hour": 1.25, "instance_max_uptime_in_minutes": null, )"
    R"("instance_max_idle_time_in_minutes": 7, )"
    R"("resources": {"cpus": 0.5, "memory_bytes": 1073741824, "gpus": 2}, "environment": {"Z": "1", "A": ""}, )"
    R"("docker_run_args": {"shm_size": "1g"}, "network": false, "runtime": "sandbox", )"
    R"("outputs": ["checkpoints", "runs/**"], "parallel_indices_range": null, )"
    R"("indices_per_execution": 3, "indices": {"range": [3, 6]}, )"
    R"("parent_id": "019aab9e-3c6f-7d52-9d0f-000000000002", )"
    R"("previous_execution_id": "019aab9e-3c6f-7d52-9d0f-000000000001", )"
    R"("configuration": {"user": "ada"}, "metadata": {"git": {"dirty": true}})";

constexpr const char* kExecutionMembers =
    R"("execution_id": "019aab9e-3c6f-7d52-9d0f-000000000003", "state": "finished", "success": false, )"
    R"("exit_status": 137, "outcome": {"kind": "signalled", "exit_status": 137, "signal": 9, )"
    R"("out_of_memory": true, "reason": "killed"}, "waiting_for": "", "stop_requested": true, "attempts": 2, )"
    R"("attempt": {"attempt_id": "019aab9e-3c6f-7d52-9d0f-000000000004", )"
    R"("instance_id": "019aab9e-3c6f-7d52-9d0f-000000000005"}, )"
    R"("times": {"submitted": "2026-01-01T00:00:00.000000Z", "assigned": "2026-01-01T00:00:00.250000Z", )"
    R"("started": "2026-01-01T00:00:00.500000Z", "command_ended": "2026-01-01T00:00:02.500000Z", )"
    R"("finished": "2026-01-01T00:00:02.625000Z"}, )"
    R"("durations": {"waiting": 0.25, "starting": 0.25, "running": 2, "finishing": 0.125}, )"
    R"("output": {"tree": "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc", "bytes": 1000}, )"
    R"("image": {"id": "sha256:3c", "digest": "", "base_id": "", "base_digest": ""}, )";

constexpr const char* kLeast =
    R"({"user": "a", "project": "p", "command": ["true"],)"
    R"( "snapshot": {"code_tree": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}%})";

std::string spec_with(std::string_view members) {
  std::string text = kLeast;
  text.replace(text.find('%'), 1, members);
  return text;
}

TEST(ExecutionJson, SpecHasItsGoldenForm) {
  EXPECT_EQ(spec_to_json(sample_spec()), "{" + std::string(kSpecMembers) + "}");
  auto spec = spec_from_json(spec_to_json(sample_spec()));
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(*spec, sample_spec());
}

TEST(ExecutionJson, NoPhaseLastsLessThanNothing) {
  Execution execution = sample_execution();
  execution.times.finished = *execution.times.command_ended - std::chrono::hours(1);
  EXPECT_NE(execution_to_json(execution).find(R"("running": 2, "finishing": 0})"), std::string::npos);
}

TEST(ExecutionJson, ExecutionHasItsGoldenForm) {
  EXPECT_EQ(execution_to_json(sample_execution()), "{" + std::string(kExecutionMembers) + kSpecMembers + "}");
  auto execution = execution_from_json(execution_to_json(sample_execution()));
  ASSERT_TRUE(execution) << execution.error().message;
  EXPECT_EQ(*execution, sample_execution());
}

TEST(ExecutionJson, QueuedExecutionComesBack) {
  Execution execution;
  execution.id = sample_id<ExecutionId>(1);
  execution.spec.parallel_indices_range = IndexRange{-2, 10};
  execution.waiting_for = "2 cpus";
  auto back = execution_from_json(execution_to_json(execution));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, execution);
  EXPECT_NE(execution_to_json(execution).find("\"success\": null, \"exit_status\": null"), std::string::npos);
}

TEST(ExecutionJson, DocumentIsOneLineWithMeasures) {
  Execution execution = sample_execution();
  execution.spec.parameters.text = "{\n\"a\": 1\r\n}";
  std::string document = execution_document(execution, "{\"summary\":\n{}}");
  EXPECT_EQ(document.find('\n'), std::string::npos);
  EXPECT_TRUE(document.ends_with(", \"measures\": {\"summary\": {}}}"));
  EXPECT_TRUE(parse_json_text(document));
  EXPECT_TRUE(execution_from_json(document));
}

TEST(ExecutionJson, SubmissionKeepsAnyEnvironment) {
  Submission submission{sample_spec(), {{"A", "1"}, {"B\xff", "\xfe"}, {"A", "2"}}, sample_attributes()};
  auto back = submission_from_json(submission_to_json(submission));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->spec, submission.spec);
  EXPECT_EQ(back->shell_environment, submission.shell_environment);
  EXPECT_EQ(back->process_attributes, submission.process_attributes);
  EXPECT_NE(submission_to_json(submission).find(R"("shell_environment": [["A", "1"], [{"base64": "Qv8="}, )"),
            std::string::npos);
}

TEST(ExecutionJson, PageAndIdComeBack) {
  ExecutionPage page{{sample_execution()}, sample_id<ExecutionId>(9)};
  auto back = execution_page_from_json(execution_page_to_json(page));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->executions, page.executions);
  EXPECT_EQ(back->cursor, page.cursor);
  EXPECT_EQ(execution_page_to_json({}), "{\"executions\": [], \"cursor\": null}");
  EXPECT_EQ(id_to_json(sample_id<ExecutionId>(3)), "{\"id\": \"019aab9e-3c6f-7d52-9d0f-000000000003\"}");
  EXPECT_EQ(*id_from_json(id_to_json(sample_id<ExecutionId>(3))), sample_id<ExecutionId>(3));
}

TEST(ExecutionJson, WhatIsAbsentHasItsDefault) {
  auto spec = spec_from_json(spec_with(R"(, "unknown": [{}], "input": null, "environment": null)"));
  ASSERT_TRUE(spec) << spec.error().message;
  ExecutionSpec expected;
  expected.user = "a", expected.project = "p", expected.command = {"true"};
  expected.snapshot.code_tree = sample_digest('a');
  EXPECT_EQ(*spec, expected);
}

TEST(ExecutionJson, ErrorsNameTheMember) {
  const std::pair<std::string, std::string> table[] = {
      {"", "not valid JSON: line 1, column 1: expected a value"},
      {"[]", "the document must be an object"},
      {"{}", "user is missing"},
      {R"({"user": 1})", "user must be a string"},
      {R"({"user": {"base64": "x"}})", "user must be a string, or {\"base64\": …}"},
      {R"({"user": "a", "project": "p", "command": "true"})", "command must be a list"},
      {R"({"user": "a", "project": "p", "command": ["x", 1]})", "command[1] must be a string"},
      {R"({"user": "a", "project": "p", "command": [], "snapshot": {}})", "snapshot.code_tree is missing"},
      {R"({"user": "a", "project": "p", "command": [], "snapshot": {"code_tree": "ab"}})",
       "snapshot.code_tree must be a digest (64 hexadecimal digits)"},
      {R"({"user": "a", "project": "p", "command": [], "snapshot": {"code_tree": ")" + std::string(64, 'a') +
           R"(", "environment": {"pinned": {"digest": "x"}}}})",
       "snapshot.environment.pinned.id is missing"},
      {spec_with(R"(, "parameters": [])"), "parameters must be an object"},
      {spec_with(R"(, "resources": 1)"), "resources must be an object"},
      {spec_with(R"(, "resources": {"cpus": "2"})"), "resources.cpus must be a number"},
      {spec_with(R"(, "resources": {"cpus": 1e999})"), "resources.cpus must be a number that a double can hold"},
      {spec_with(R"(, "resources": {"memory_bytes": -1})"),
       "resources.memory_bytes must be a whole number from 0 to 18446744073709551615"},
      {spec_with(R"(, "resources": {"memory_bytes": 99999999999999999999})"),
       "resources.memory_bytes must be a whole number from 0 to 18446744073709551615"},
      {spec_with(R"(, "resources": {"gpus": 4294967296})"),
       "resources.gpus must be a whole number from 0 to 4294967295"},
      {spec_with(R"(, "resources": {"gpus": 1.5})"), "resources.gpus must be a whole number from 0 to 4294967295"},
      {spec_with(R"(, "network": 1)"), "network must be true or false"},
      {spec_with(R"(, "instance_market_type": "free")"), "instance_market_type must be on_demand or spot"},
      {spec_with(R"(, "parent_id": "x")"), "parent_id must be an id (a UUID)"},
      {spec_with(R"(, "parallel_indices_range": [1, 1])"),
       "parallel_indices_range must be [from, to], with from less than to"},
      {spec_with(R"(, "indices": {"range": [1]})"), "indices.range must be [from, to], with from less than to"},
      {spec_with(R"(, "environment": {"A": 1})"), "environment.A must be a string"},
      {spec_with(R"(, "environment": [["A"]])"), "environment must hold pairs of a name and a value"},
      {spec_with(R"(, "environment": "A=1")"), "environment must be an object"},
      {spec_with(", \"metadata\": {\"a\": \"\xff\"}"),
       "not valid JSON: line 1, column 165: a string that is not valid UTF-8"},
      {spec_with(", \"metadata\": " + std::string(100'000, '[')),
       "not valid JSON: line 1, column 382: nested deeper than 224 levels"},
  };
  for (const auto& [text, message] : table) {
    auto spec = spec_from_json(text);
    ASSERT_FALSE(spec) << text;
    EXPECT_EQ(spec.error().code, ErrorCode::invalid);
    EXPECT_EQ(spec.error().message, message);
  }
  auto page = execution_page_from_json(R"({"executions": [{"execution_id": 3}]})");
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().message, "executions[0].execution_id must be an id (a UUID)");
  auto state = execution_from_json(R"({"execution_id": "019aab9e-3c6f-7d52-9d0f-000000000003", "state": "asleep"})");
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().message, "state must be queued, starting, running, finishing or finished");
}

}  // namespace
}  // namespace plz
