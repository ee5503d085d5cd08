#include "cli/commands/commands.h"

#include <algorithm>

#include <gmock/gmock.h>

#include "cli/execution_report.h"
#include "cli/scripted_session_test.h"
#include "wire/collection_json.h"
#include "wire/execution_json.h"
#include "wire/instance_json.h"
#include "wire/json_text.h"
#include "wire/worker_api.h"

namespace plz {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class CommandsTest : public testing::Test {
 protected:
  CommandsTest() {
    execution_.id = kId;
    execution_.spec.user = "ada";
    execution_.spec.project = "digits";
    execution_.spec.command = {"true"};
    serve();
  }

  void serve() {
    scripted_.answer("GET " + kOne, execution_to_json(execution_));
    scripted_.answer("GET /v1/executions/last?user=ada", id_to_json(kId));
  }

  void finish(Outcome outcome) {
    execution_.state = ExecutionState::finished;
    execution_.outcome = std::move(outcome);
    serve();
  }

  void make_composite() {
    execution_.spec.parallel_indices_range = IndexRange{0, 3};
    execution_.spec.indices_per_execution = 2;
    serve();
    ExecutionPage page;
    for (int64_t from : {0, 2}) {
      Execution part = execution_;
      part.spec.parallel_indices_range.reset();
      part.spec.parent_id = kId;
      part.spec.indices = IndexRange{from, std::min<int64_t>(from + 2, 3)};
      if (from == 2) {
        part.state = ExecutionState::finished;
        part.outcome = Outcome{OutcomeKind::exited, 3, {}, false, {}};
      }
      page.executions.push_back(part);
    }
    scripted_.answer("GET " + kOne + "/parts?brief=1&limit=1000", execution_page_to_json(page));
  }

  int ok(const auto& options) {
    auto status = perform(*scripted_.session, options);
    EXPECT_TRUE(status) << status.error().message;
    return status.value_or(-1);
  }

  Error error(const auto& options) {
    auto status = perform(*scripted_.session, options);
    EXPECT_FALSE(status);
    return status ? Error{} : status.error();
  }

  std::vector<testing_client::Asked> asked() { return scripted_.server->asked(); }

  ScriptedSession scripted_;
  Execution execution_;
};

TEST_F(CommandsTest, LastPrintsTheId) {
  EXPECT_EQ(ok(LastOptions{}), 0);
  EXPECT_EQ(scripted_.printed(), std::string(kIdText) + "\n");
}

TEST_F(CommandsTest, WhoHasRunNothingIsToldHow) {
  scripted_.answer("GET /v1/executions/last?user=ada", [](const testing_client::Asked&) {
    return problem_response(Error{ErrorCode::not_found, "nothing", {}}, "r");
  });
  EXPECT_THAT(error(LastOptions{}).message, HasSubstr("ada has run nothing yet"));
  EXPECT_THAT(error(StatusOptions{}).hint, HasSubstr("plz run"));
}

TEST_F(CommandsTest, StatusOfTheLastExecution) {
  execution_.waiting_for = "a free slot";
  serve();
  EXPECT_EQ(ok(StatusOptions{}), 0);
  EXPECT_THAT(scripted_.printed(), StartsWith("Running: True\nSuccess: None\nExit Status: None\nPhase: queued\n"));
  EXPECT_THAT(scripted_.printed(), HasSubstr("Waiting For: a free slot\n"));
}

TEST_F(CommandsTest, StatusOfACompositeIsThatOfItsIndices) {
  make_composite();
  EXPECT_EQ(ok(StatusOptions{kId}), 0);
  EXPECT_THAT(scripted_.printed(), StartsWith("parallel-0#Running: True\n"));
  EXPECT_THAT(scripted_.printed(), HasSubstr("parallel-1#Success: None\n"));
  EXPECT_THAT(scripted_.printed(), HasSubstr("parallel-2#Exit Status: 3\n"));
  EXPECT_THAT(scripted_.told(), HasSubstr("1 of 2 parts have finished, 1 of them without success"));
}

TEST_F(CommandsTest, JsonOfACompositeHasItsPartsWhole) {
  make_composite();
  EXPECT_EQ(ok(StatusOptions{kId, true}), 0);
  const std::string indented = scripted_.printed();
  EXPECT_EQ(ok(DescribeOptions{kId, true}), 0);
  const std::string line = scripted_.printed().substr(indented.size());
  EXPECT_EQ(indented, indent_json(line) + "\n");
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_THAT(line, HasSubstr("\"parts\": [{\"execution_id\""));
  EXPECT_THAT(line, HasSubstr("\"indices\": {\"range\": [2, 3]}, \"parent_id\": \"" + kId.to_string()));
}

TEST_F(CommandsTest, DescribeOfACompositeHasTheMeasuresOfEachIndex) {
  make_composite();
  scripted_.answer("GET " + kOne + "/measures", R"({"0": {"x": 1}, "1": {"x": 2}, "2": {"x": 3}})");
  EXPECT_EQ(ok(DescribeOptions{kId}), 0);
  EXPECT_THAT(scripted_.printed(), HasSubstr("parallel-1#    \"1\": {\nparallel-1#      \"x\": 2\n"));
  EXPECT_THAT(scripted_.printed(), HasSubstr("parallel-2#  \"measures\": {\nparallel-2#    \"2\": {"));
  EXPECT_THAT(scripted_.printed(), HasSubstr("parallel-2#  \"user\": \"ada\""));
  EXPECT_THAT(scripted_.printed(), Not(HasSubstr("parallel-2#    \"1\"")));
}

TEST_F(CommandsTest, MeasuresAreIndentedAndKeepTheirDigits) {
  scripted_.answer("GET " + kOne + "/measures", R"({"loss": 1e-3, "summary": {"a": 0.910}})");
  EXPECT_EQ(ok(MeasuresOptions{kId}), 0);
  EXPECT_EQ(scripted_.printed(), "{\n  \"loss\": 1e-3,\n  \"summary\": {\n    \"a\": 0.910\n  }\n}\n");
}

TEST_F(CommandsTest, TheSummaryAlone) {
  scripted_.answer("GET " + kOne + "/measures?prefix=summary", R"({"summary": {"a": 1}})");
  EXPECT_EQ(ok(MeasuresOptions{kId, true}), 0);
  EXPECT_EQ(scripted_.printed(), "{\n  \"a\": 1\n}\n");
}

TEST_F(CommandsTest, MeasuresOfACompositeByIndex) {
  make_composite();
  scripted_.answer("GET " + kOne + "/measures", R"({"0": {"x": 1}, "10": {}})");
  EXPECT_EQ(ok(MeasuresOptions{kId}), 0);
  EXPECT_EQ(scripted_.printed(), "parallel-0#{\nparallel-0#  \"x\": 1\nparallel-0#}\nparallel-10#{}\n");
}

TEST_F(CommandsTest, DescribeHasTheMeasuresToo) {
  scripted_.answer("GET " + kOne + "/measures", R"({"loss": 5})");
  EXPECT_EQ(ok(DescribeOptions{kId, true}), 0);
  EXPECT_THAT(scripted_.printed(), HasSubstr("\"measures\": {\"loss\": 5}"));
  EXPECT_THAT(scripted_.printed(), HasSubstr("\"user\": \"ada\""));
}

TEST_F(CommandsTest, HistoryIsCopiedAsItComes) {
  scripted_.answer("GET /v1/history?format=json&limit=2&project=digits&user=ada&where=a > 1", "{\n\"e\": {}\n}\n");
  EXPECT_EQ(ok(HistoryOptions{.where = "a > 1", .limit = 2}), 0);
  EXPECT_EQ(scripted_.printed(), "{\n\"e\": {}\n}\n");
}

TEST_F(CommandsTest, HistoryOfAllAsATable) {
  scripted_.answer("GET /v1/history?format=jsonl", "{\"execution_id\": \"e1\", \"parameters\": {\"lr\": 0.5}}\n");
  EXPECT_EQ(ok(HistoryOptions{.all = true, .format = HistoryFormat::csv}), 0);
  EXPECT_THAT(scripted_.printed(), HasSubstr("parameters.lr\ne1,"));
}

TEST_F(CommandsTest, AWrongConditionIsToldBeforeAnybodyIsAsked) {
  EXPECT_EQ(error(HistoryOptions{.where = "a <"}).code, ErrorCode::invalid);
  EXPECT_TRUE(asked().empty());
}

TEST_F(CommandsTest, StopAsksForTheEnd) {
  scripted_.answer("POST " + kOne + "/stop?grace=10", "{}", 202);
  EXPECT_EQ(ok(StopOptions{kId}), 0);
  EXPECT_EQ(asked().back().method, "POST");
}

TEST_F(CommandsTest, StopLeavesAFinishedExecutionAlone) {
  finish(Outcome{OutcomeKind::succeeded, 0, {}, false, {}});
  EXPECT_EQ(ok(StopOptions{kId}), 0);
  EXPECT_THAT(scripted_.told(), HasSubstr("finished already"));
}

TEST_F(CommandsTest, ListShowsExecutionsAndInstances) {
  scripted_.answer("GET /v1/executions?user=ada&unfinished=1&limit=100", "");
  scripted_.answer("GET /v1/executions?limit=100&unfinished=1&user=ada",
                   execution_page_to_json({{execution_}, std::nullopt}));
  Instance instance;
  instance.id = *InstanceId::parse(kIdText);
  instance.state = InstanceState::busy;
  scripted_.answer("GET /v1/instances", instances_to_json({instance}));
  EXPECT_EQ(ok(ListOptions{}), 0);
  EXPECT_THAT(scripted_.printed(), HasSubstr("EXECUTION"));
  EXPECT_THAT(scripted_.printed(), HasSubstr(std::string(kIdText) + "  ada   digits   queued"));
  EXPECT_THAT(scripted_.printed(), HasSubstr(std::string(kIdText) + "  local  busy"));
}

TEST_F(CommandsTest, KillWantsToKnowWhat) {
  EXPECT_THAT(error(KillOptions{}).message, HasSubstr("nothing to kill"));
  EXPECT_EQ(error(KillOptions{.instances = {InstanceId()}, .all = true}).code, ErrorCode::invalid);
}

TEST_F(CommandsTest, KillTellsWhatLivesOn) {
  const InstanceId dead = *InstanceId::parse(kIdText);
  KillAnswer answer;
  answer.killed = {dead};
  answer.refused = {{dead, "it runs something"}};
  scripted_.answer("POST /v1/instances/kill", kill_answer_to_json(answer));
  EXPECT_EQ(ok(KillOptions{.all = true, .oh_yeah = true}), 1);
  EXPECT_EQ(scripted_.printed(), std::string(kIdText) + "\n");
  EXPECT_THAT(scripted_.told(), HasSubstr("lives on: it runs something"));
}

TEST_F(CommandsTest, DeleteChecksAllBeforeItDeletesOne) {
  DeleteOptions options{{kId}, false, true};
  EXPECT_THAT(error(options).hint, HasSubstr("plz stop"));
  finish(Outcome{OutcomeKind::succeeded, 0, {}, false, {}});
  execution_.spec.user = "bob";
  serve();
  EXPECT_THAT(error(options).hint, HasSubstr("--all-users"));
  execution_.spec.user = "ada";
  execution_.spec.parent_id = kId;
  serve();
  EXPECT_THAT(error(options).hint, HasSubstr("plz delete " + std::string(kIdText)));
  for (const auto& asked : asked()) EXPECT_EQ(asked.method, "GET");
}

TEST_F(CommandsTest, DeleteSaysWhatCanBeFreed) {
  finish(Outcome{OutcomeKind::succeeded, 0, {}, false, {}});
  scripted_.answer("DELETE " + kOne + "?user=ada", "", 204);
  CollectionReport report;
  report.dry_run = true;
  report.bytes = 2048;
  scripted_.answer("POST /v1/collections", collection_report_to_json(report));
  EXPECT_EQ(ok(DeleteOptions{{kId}, false, true}), 0);
  EXPECT_EQ(scripted_.printed(), std::string(kIdText) + "\n");
  EXPECT_THAT(scripted_.told(), HasSubstr("would free 2.0 KiB (2048 bytes)"));
  EXPECT_EQ(asked().back().body, R"({"dry_run": true, "environments": false, "caches": false, "wait": false})");
}

TEST_F(CommandsTest, GcTellsWhatItFreed) {
  CollectionReport report;
  report.blobs = 1;
  report.bytes = 1234567;
  report.instances.push_back({*InstanceId::parse(kIdText),
                              "box",
                              {{{"sha256:1", "plz/environment:a", 5}}, {}, {"unix:/e"}, 2, 4096, "no engine"}});
  scripted_.answer("POST /v1/collections", collection_report_to_json(report));
  EXPECT_EQ(ok(GcOptions{}), 0);
  EXPECT_EQ(scripted_.printed(),
            "Store: 1 blob, 1.2 MiB (1234567 bytes)\n"
            "On box: 1 image, 5 bytes\n"
            "  plz/environment:a  5 bytes\n"
            "On box: 2 cached trees, about 4.0 KiB\n");
  EXPECT_THAT(scripted_.told(), HasSubstr("On box: no engine"));
  EXPECT_THAT(scripted_.told(),
              HasSubstr("On box: images and containers are those of the container engine at unix:/e"));
  report.held_up = "captures are under way";
  scripted_.answer("POST /v1/collections", collection_report_to_json(report));
  EXPECT_EQ(ok(GcOptions{.json = true}), 1);
  EXPECT_THAT(scripted_.printed(), HasSubstr("\"bytes\": 1234567"));
  EXPECT_THAT(scripted_.told(), HasSubstr("try again"));
  report.error = "the disk is on fire";
  scripted_.answer("POST /v1/collections", collection_report_to_json(report));
  EXPECT_EQ(error(GcOptions{}).message, "the disk is on fire");
}

TEST_F(CommandsTest, PingTellsThatItLives) {
  scripted_.answer("GET /v1/ping", ping_to_json({.version = "1.2.3", .unfinished = 4}));
  EXPECT_EQ(ok(PingOptions{}), 0);
  EXPECT_THAT(scripted_.told(), HasSubstr("1.2.3"));
  EXPECT_EQ(scripted_.printed(), "");
}

TEST_F(CommandsTest, OutputOfARunningExecutionNeedsForce) {
  execution_.state = ExecutionState::running;
  serve();
  EXPECT_THAT(error(OutputOptions{kId}).hint, HasSubstr("--force-if-running"));
}

TEST_F(CommandsTest, OfARunningExecutionThatHasWrittenNothingItIsAnEmptyDirectory) {
  execution_.state = ExecutionState::running;
  serve();
  OutputOptions options{.execution = kId, .output_directory = "out", .force_if_running = true};
  scripted_.answer("POST " + kOne + "/output-captures", capture_report_to_json({}));
  EXPECT_EQ(ok(options), 0);
  EXPECT_TRUE(path_exists(scripted_.directory.path("project/out")));
  CaptureReport failed;
  failed.error = "the disk is full";
  scripted_.answer("POST " + kOne + "/output-captures", capture_report_to_json(failed));
  EXPECT_THAT(error(options).message, HasSubstr("the disk is full"));
}

TEST_F(CommandsTest, OutputThatCouldNotBeStoredIsTold) {
  finish(Outcome{OutcomeKind::output_not_stored, 0, {}, false, "disk full"});
  EXPECT_THAT(error(OutputOptions{kId}).hint, HasSubstr("disk full"));
}

TEST_F(CommandsTest, AnOutputOfNothingIsAnEmptyDirectory) {
  finish(Outcome{OutcomeKind::exited, 1, {}, false, {}});
  EXPECT_EQ(ok(OutputOptions{.execution = kId, .output_directory = "out"}), 0);
  EXPECT_TRUE(path_exists(scripted_.directory.path("project/out")));
}

TEST_F(CommandsTest, RerunOfAWholeCompositeCanBeRestrictedToWhatFailed) {
  EXPECT_THAT(error(RerunOptions{.execution = kId, .failed_only = true}).message, HasSubstr("--failed-only"));
  make_composite();
  std::vector<Submission> submitted;
  scripted_.answer("POST /v1/executions", [&](const testing_client::Asked& asked) {
    auto submission = submission_from_json(asked.body);
    EXPECT_TRUE(submission);
    if (submission) submitted.push_back(*submission);
    return testing_client::json(id_to_json(kId), 201);
  });
  EXPECT_EQ(ok(RerunOptions{.execution = kId, .failed_only = true}), 0);
  ASSERT_EQ(submitted.size(), 1u);
  EXPECT_EQ(submitted[0].spec.parallel_indices_range, (IndexRange{2, 3}));
  EXPECT_EQ(submitted[0].spec.previous_execution_id, kId);
  EXPECT_EQ(submitted[0].spec.parent_id, std::nullopt);
  for (const auto& [name, value] : submitted[0].shell_environment) EXPECT_THAT(name, Not(StartsWith("PLZ_")));
  EXPECT_EQ(scripted_.printed(), std::string(kIdText) + "\n");
}

TEST_F(CommandsTest, LogsBeginWhereItIsSaid) {
  finish(Outcome{OutcomeKind::succeeded, 0, {}, false, {}});
  const std::string stream = "GET " + kOne + "/logs?follow=1";
  scripted_.answer(stream + "&offset=0", "all\n");
  scripted_.answer(stream + "&from=now", "new\n");
  EXPECT_EQ(ok(LogsOptions{kId}), 0);
  EXPECT_EQ(scripted_.printed(), "all\n");
  EXPECT_EQ(ok(LogsOptions{kId, "now"}), 0);
  EXPECT_EQ(scripted_.printed(), "all\nnew\n");
}

TEST_F(CommandsTest, CompletionOffersIds) {
  scripted_.answer("GET /v1/executions?limit=50&user=ada", execution_page_to_json({{execution_}, std::nullopt}));
  EXPECT_EQ(ok(CompleteOptions{"ids"}), 0);
  EXPECT_EQ(scripted_.printed(), std::string(kIdText) + "\n");
}

TEST(RunOverrides, SayWhatTheFlagsSaid) {
  RunOptions options;
  options.parameters_path = "p.json";
  options.arguments = {"a \"b\"", "c"};
  const auto overrides = configuration_overrides(options);
  ASSERT_EQ(overrides.size(), 2u);
  EXPECT_EQ(overrides[0].key, "parameters");
  EXPECT_EQ(overrides[1].value, R"(["a \"b\"", "c"])");
}

}  // namespace
}  // namespace plz
