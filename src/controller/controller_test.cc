// The controller over memory: its services and its API, without programs.
#include "controller/controller.h"

#include <map>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "controller/drain_test.h"
#include "controller/services/log_follower.h"
#include "controller/text_body_test.h"
#include "db/fault_injecting_database.h"
#include "db/memory/memory_database.h"
#include "logs/memory_log_store.h"
#include "net/http_client.h"
#include "provider/fake/fake_provider.h"
#include "store/hasher.h"
#include "store/memory/memory_pack_store.h"
#include "store/pack_format.h"
#include "store/tree.h"
#include "wire/execution_json.h"
#include "wire/instance_json.h"
#include "wire/measures_json.h"
#include "wire/worker_api.h"

namespace plz {
namespace {

class ControllerTest : public testing::Test {
 protected:
  ControllerTest()
      : database_(make_memory_database()),
        provider_(Capacity{2, 8u << 20, {"0", "1"}}),
        controller_({true, "0.1.0", std::nullopt, "registry:5000/plz"}, clock_, *database_, packs_, logs_, provider_) {
    EXPECT_TRUE(controller_.load());
    send_tree();
  }

  void send_tree() {
    std::string tree = encode_tree({});
    tree_ = digest_of(tree);
    std::string pack;
    append_blob_to_pack(pack, tree_, tree);
    EXPECT_EQ(call("POST", "/v1/packs", pack).status, 200);
  }

  Response call(const std::string& method, const std::string& target, const std::string& body = {},
                const std::string& key = {}) {
    TextBody reader(body);
    Request request;
    request.method = method;
    request.target = *parse_target(target);
    request.body = &reader;
    request.id = "test";
    if (!key.empty()) request.headers.add("Idempotency-Key", key);
    return controller_.handle(request);
  }

  ExecutionSpec spec() {
    ExecutionSpec spec;
    spec.user = "ada";
    spec.project = "digits";
    spec.command = {"true"};
    spec.snapshot.code_tree = tree_;
    return spec;
  }

  ExecutionId submit(const ExecutionSpec& spec) {
    Response response =
        call("POST", "/v1/executions", submission_to_json({spec, {{"TOKEN", "secret"}}, {.umask = 077}}));
    EXPECT_EQ(response.status, 201) << response.body;
    return *id_from_json(response.body);
  }

  Execution get(ExecutionId id) { return *execution_from_json(call("GET", "/v1/executions/" + id.to_string()).body); }

  InstanceId register_worker(std::vector<AttemptId> attempts = {}, std::optional<InstanceId> id = {},
                             const std::string& version = "0.1.0") {
    WorkerRegistration registration;
    registration.instance_id = id;
    registration.version = version;
    registration.host_name = "here";
    registration.capacity = Capacity{2, 8u << 20, {"0", "1"}};
    registration.attempts = std::move(attempts);
    Response response = call("POST", "/v1/workers", registration_to_json(registration));
    EXPECT_EQ(response.status, 200) << response.body;
    last_registered_ = *registered_from_json(response.body);
    return last_registered_.instance_id;
  }

  // What waits for the worker now.
  WorkerOrders orders(InstanceId id) {
    scheduler_looks();
    Response response = call("POST", "/v1/workers/" + id.to_string() + "/poll?wait=0");
    if (!response.stream) return *orders_from_json(response.body);
    return {};
  }

  // The scheduler's thread is not running in these tests: each look is made here.
  void scheduler_looks() { controller_.context().scheduler.run_once(); }

  void finish(AttemptId attempt, OutcomeKind kind, int status) {
    FinishReport report;
    report.outcome.kind = kind;
    report.outcome.exit_status = status;
    report.output_tree = tree_;
    Response response = call("POST", "/v1/attempts/" + attempt.to_string() + "/finish", finish_to_json(report));
    EXPECT_EQ(response.status, 200) << response.body;
  }

  void kill_by_force(InstanceId instance) {
    KillRequest request;
    request.instance_ids = {instance};
    request.user = "ada";
    request.force_if_not_idle = true;
    auto answer = kill_answer_from_json(call("POST", "/v1/instances/kill", kill_to_json(request)).body);
    EXPECT_EQ(answer->killed, std::vector<InstanceId>{instance});
  }

  FakeClock clock_;
  std::unique_ptr<Database> database_;
  MemoryPackStore packs_;
  MemoryLogStore logs_;
  FakeProvider provider_;
  Controller controller_;
  Digest tree_;
  WorkerRegistered last_registered_;
};

TEST_F(ControllerTest, RunsAnExecutionFromQueueToResult) {
  ExecutionId id = submit(spec());
  EXPECT_EQ(get(id).state, ExecutionState::queued);
  InstanceId worker = register_worker();
  auto given = orders(worker);
  ASSERT_EQ(given.assignments.size(), 1u);
  EXPECT_EQ(given.assignments[0].execution_id, id);
  EXPECT_EQ(given.assignments[0].process_attributes.umask, 077u);
  EXPECT_EQ(given.assignments[0].shell_environment, (EnvironmentVariables{{"TOKEN", "secret"}}));
  AttemptId attempt = given.assignments[0].attempt_id;
  EXPECT_EQ(get(id).state, ExecutionState::starting);
  EXPECT_EQ(call("POST", "/v1/attempts/" + attempt.to_string() + "/started", moment_to_json({clock_.now()})).status,
            200);
  EXPECT_EQ(get(id).state, ExecutionState::running);
  EXPECT_EQ(call("PUT", "/v1/attempts/" + attempt.to_string() + "/log?offset=0", "hello\n").body, "{\"bytes\": 6}");
  MeasureEvent event;
  event.sequence = 1;
  event.path = "summary";
  event.time = clock_.now();
  event.value = JsonText{"{\"accuracy\": 0.5}"};
  EXPECT_EQ(call("POST", "/v1/attempts/" + attempt.to_string() + "/measures", measure_events_to_json({event})).status,
            200);
  finish(attempt, OutcomeKind::succeeded, 0);
  Execution done = get(id);
  EXPECT_EQ(done.state, ExecutionState::finished);
  EXPECT_TRUE(done.outcome->succeeded());
  EXPECT_EQ(done.output_tree, tree_);
  EXPECT_EQ(call("GET", "/v1/executions/" + id.to_string() + "/measures").body, "{\"summary\": {\"accuracy\":0.5}}");
  // A repeated report changes nothing.
  finish(attempt, OutcomeKind::exited, 1);
  EXPECT_TRUE(get(id).outcome->succeeded());
}

TEST_F(ControllerTest, TheSameKeyStartsNothingTwice) {
  const std::string body = submission_to_json({spec(), {}});
  auto first = call("POST", "/v1/executions", body, "key-1");
  auto second = call("POST", "/v1/executions", body, "key-1");
  auto third = call("POST", "/v1/executions", body, "key-2");
  EXPECT_EQ(first.body, second.body);
  EXPECT_NE(first.body, third.body);
}

TEST_F(ControllerTest, RefusesATreeThatTheStoreLacks) {
  ExecutionSpec wrong = spec();
  wrong.snapshot.code_tree = digest_of("nothing of the kind");
  Response response = call("POST", "/v1/executions", submission_to_json({wrong, {}}));
  EXPECT_EQ(response.status, 409);
  EXPECT_NE(response.body.find(wrong.snapshot.code_tree.hex()), std::string::npos);
}

TEST_F(ControllerTest, ALogIsNeitherDoubledNorTorn) {
  submit(spec());
  InstanceId worker = register_worker();
  const std::string log = "/v1/attempts/" + orders(worker).assignments[0].attempt_id.to_string() + "/log?offset=";
  EXPECT_EQ(call("PUT", log + "0", "abc").body, "{\"bytes\": 3}");
  EXPECT_EQ(call("PUT", log + "0", "abc").body, "{\"bytes\": 3}");
  EXPECT_EQ(call("PUT", log + "2", "cde").body, "{\"bytes\": 5}");
  Response gap = call("PUT", log + "9", "x");
  EXPECT_EQ(gap.status, 409);
  EXPECT_EQ(gap.body, "{\"bytes\": 5}");
}

TEST_F(ControllerTest, GivesAGpuToOneExecutionAtATime) {
  ExecutionSpec greedy = spec();
  greedy.resources.gpus = 1;
  greedy.resources.cpus = 0.5;
  for (int i = 0; i < 3; ++i) submit(greedy);
  InstanceId worker = register_worker();
  auto given = orders(worker);
  ASSERT_EQ(given.assignments.size(), 2u);
  EXPECT_EQ(given.assignments[0].gpu_ids, std::vector<std::string>{"0"});
  EXPECT_EQ(given.assignments[1].gpu_ids, std::vector<std::string>{"1"});
  finish(given.assignments[0].attempt_id, OutcomeKind::succeeded, 0);
  auto next = orders(worker);
  ASSERT_EQ(next.assignments.size(), 1u);
  EXPECT_EQ(next.assignments[0].gpu_ids, std::vector<std::string>{"0"});
}

TEST_F(ControllerTest, NobodyOvertakesWhoWaitsForTheSame) {
  ExecutionSpec small = spec(), large = spec();
  large.resources.cpus = 2;
  ExecutionId first = submit(small), second = submit(large), third = submit(small);
  InstanceId worker = register_worker();
  auto given = orders(worker);
  ASSERT_EQ(given.assignments.size(), 1u);
  EXPECT_EQ(given.assignments[0].execution_id, first);
  EXPECT_NE(get(second).waiting_for.find("2 processors"), std::string::npos) << get(second).waiting_for;
  EXPECT_NE(get(third).waiting_for, "");
  finish(given.assignments[0].attempt_id, OutcomeKind::succeeded, 0);
  auto next = orders(worker);
  ASSERT_EQ(next.assignments.size(), 1u);
  EXPECT_EQ(next.assignments[0].execution_id, second);
}

TEST_F(ControllerTest, WhatNoInstanceCanGiveHoldsUpNobody) {
  ExecutionSpec many_cpus = spec(), much_memory = spec(), many_gpus = spec(), modest = spec();
  many_cpus.resources.cpus = 16;
  much_memory.resources = {0.1, 1u << 30, 0};
  many_gpus.resources = {0.1, 0, 3};
  modest.resources = {1, 1u << 20, 1};
  for (const auto& greedy : {many_cpus, much_memory, many_gpus}) submit(greedy);
  ExecutionId id = submit(modest);
  auto given = orders(register_worker());
  ASSERT_EQ(given.assignments.size(), 1u);
  EXPECT_EQ(given.assignments[0].execution_id, id);
}

TEST_F(ControllerTest, SaysWhatNoInstanceCanGive) {
  register_worker();
  ExecutionSpec greedy = spec();
  greedy.resources.cpus = 99;
  EXPECT_EQ(get(submit(greedy)).waiting_for, "99 processors: no instance has more than 2");
  greedy.resources = {1, 0, 3};
  EXPECT_EQ(get(submit(greedy)).waiting_for, "3 GPUs: no instance has more than 2");
}

// A worker that has not dialled in yet makes nothing refused: what the provider offers counts.
TEST_F(ControllerTest, RefusesWhatNobodyCouldEverGive) {
  ExecutionSpec greedy = spec(), fitting = spec();
  greedy.resources = {1, 0, 3};
  fitting.resources = {2, 8u << 20, 2};
  const auto check = [&](const Resources& wanted) {
    return call("POST", "/v1/resource-checks", resources_to_json(wanted));
  };
  EXPECT_EQ(check(greedy.resources).status, 200);  // nothing is known yet: workers dial in by themselves
  controller_.start(true);
  Response refused = call("POST", "/v1/executions", submission_to_json({greedy, {}, {}}));
  EXPECT_EQ(refused.status, 422);
  EXPECT_NE(refused.body.find("never_met"), std::string::npos) << refused.body;
  EXPECT_NE(refused.body.find("3 GPUs: this machine has 2"), std::string::npos) << refused.body;
  EXPECT_NE(refused.body.find("--wait-anyway"), std::string::npos) << refused.body;
  EXPECT_EQ(check(greedy.resources).status, 422);
  EXPECT_EQ(check(fitting.resources).status, 200);
  EXPECT_EQ(check({-1, 0, 0}).status, 400);
  EXPECT_EQ(call("POST", "/v1/executions", submission_to_json({fitting, {}, {}})).status, 201);
  Response queued = call("POST", "/v1/executions", submission_to_json({greedy, {}, {}, true}));
  EXPECT_EQ(queued.status, 201) << queued.body;
  greedy.parallel_indices_range = IndexRange{0, 4};
  EXPECT_EQ(call("POST", "/v1/executions", submission_to_json({greedy, {}, {}})).status, 422);
}

TEST_F(ControllerTest, AWorkerThatComesBackIsToldAgainWhatItMissed) {
  ExecutionId id = submit(spec());
  InstanceId worker = register_worker();
  AttemptId attempt = orders(worker).assignments.at(0).attempt_id;
  register_worker({}, worker);  // it died before it could write the assignment down
  auto again = orders(worker);
  ASSERT_EQ(again.assignments.size(), 1u);
  EXPECT_EQ(again.assignments[0].attempt_id, attempt);
  call("POST", "/v1/attempts/" + attempt.to_string() + "/started", moment_to_json({clock_.now()}));
  register_worker({}, worker);  // and now it should have known
  EXPECT_EQ(get(id).outcome->kind, OutcomeKind::lost);
  register_worker({attempt}, worker);
  EXPECT_EQ(last_registered_.forget, std::vector<AttemptId>{attempt});
}

TEST_F(ControllerTest, AStopHoldsAcrossTheWorkersDeath) {
  ExecutionSpec half = spec();
  half.resources.cpus = 1;
  ExecutionId missed = submit(half), in_hand = submit(half);
  InstanceId worker = register_worker();
  auto given = orders(worker);
  ASSERT_EQ(given.assignments.size(), 2u);
  for (ExecutionId id : {missed, in_hand})
    EXPECT_EQ(call("POST", "/v1/executions/" + id.to_string() + "/stop?grace=3").status, 202);
  // The worker dies before it takes the stops; the one attempt was not written down yet, the other is.
  register_worker({given.assignments[1].attempt_id}, worker);
  auto again = orders(worker);
  EXPECT_TRUE(again.assignments.empty());
  ASSERT_EQ(again.stops.size(), 1u);
  EXPECT_EQ(again.stops[0].attempt_id, given.assignments[1].attempt_id);
  EXPECT_EQ(again.stops[0].grace_milliseconds, 3'000);
  EXPECT_EQ(get(missed).outcome->kind, OutcomeKind::stopped);
  EXPECT_EQ(get(missed).outcome->reason, "stopped before it was started");
}

TEST_F(ControllerTest, APollOfADeadWorkerTakesNothingFromTheNext) {
  InstanceId worker = register_worker();
  Response left_behind = call("POST", "/v1/workers/" + worker.to_string() + "/poll?wait=600");
  ASSERT_TRUE(left_behind.stream);
  register_worker({}, worker);
  submit(spec());
  scheduler_looks();
  const auto taken = orders_from_json(drain(*left_behind.stream));
  ASSERT_TRUE(taken);
  EXPECT_TRUE(taken->assignments.empty());
  EXPECT_EQ(orders(worker).assignments.size(), 1u);
}

TEST_F(ControllerTest, WhoWaitsForTheOutputOfARunningJobLearnsOfItsEnd) {
  ExecutionId id = submit(spec());
  InstanceId worker = register_worker();
  AttemptId attempt = orders(worker).assignments.at(0).attempt_id;
  call("POST", "/v1/attempts/" + attempt.to_string() + "/started", moment_to_json({clock_.now()}));
  const std::string captures = "/v1/executions/" + id.to_string() + "/output-captures";
  Response waiting = call("POST", captures);
  auto given = orders(worker);
  ASSERT_EQ(given.captures.size(), 1u);
  // The worker dies with the order in hand: the next one is asked.
  register_worker({attempt}, worker);
  auto again = orders(worker);
  ASSERT_EQ(again.captures.size(), 1u);
  EXPECT_EQ(again.captures[0].request_id, given.captures[0].request_id);
  finish(attempt, OutcomeKind::succeeded, 0);
  const auto report = capture_report_from_json(drain(*waiting.stream));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->error, "the execution has finished meanwhile: its output is stored");
}

TEST_F(ControllerTest, AWorkerOfAnotherVersionIsReplaced) {
  InstanceKeeper keeper(provider_, controller_.context().executions, controller_.context().workers, clock_, "0.1.0");
  keeper.run_once();
  ASSERT_EQ(provider_.alive().size(), 1u);
  const InstanceId id = *provider_.alive().begin();
  register_worker({}, id, "0.0.9");
  keeper.run_once();
  EXPECT_EQ(provider_.ended_workers(), std::vector<InstanceId>{id});
  EXPECT_EQ(provider_.alive(), std::set<InstanceId>{id});  // started again
  register_worker({}, id, "0.1.0");
  keeper.run_once();
  EXPECT_EQ(provider_.ended_workers().size(), 1u);
}

TEST_F(ControllerTest, StopsWhatIsQueuedAtOnceAndTellsTheWorkerOfTheRest) {
  ExecutionSpec large = spec();
  large.resources.cpus = 2;
  ExecutionId running = submit(large), waiting = submit(large);
  InstanceId worker = register_worker();
  AttemptId attempt = orders(worker).assignments.at(0).attempt_id;
  EXPECT_EQ(call("POST", "/v1/executions/" + waiting.to_string() + "/stop").status, 202);
  EXPECT_EQ(get(waiting).outcome->kind, OutcomeKind::stopped);
  EXPECT_EQ(call("POST", "/v1/executions/" + running.to_string() + "/stop?grace=3").status, 202);
  auto given = orders(worker);
  ASSERT_EQ(given.stops.size(), 1u);
  EXPECT_EQ(given.stops[0].attempt_id, attempt);
  EXPECT_EQ(given.stops[0].grace_milliseconds, 3'000);
}

TEST_F(ControllerTest, ACompositeFinishesWithItsLastPart) {
  ExecutionSpec whole = spec();
  whole.parallel_indices_range = IndexRange{0, 5};
  whole.indices_per_execution = 2;
  whole.resources.cpus = 0.1;
  ExecutionId id = submit(whole);
  auto page = execution_page_from_json(drain(*call("GET", "/v1/executions/" + id.to_string() + "/parts").stream));
  ASSERT_TRUE(page);
  ASSERT_EQ(page->executions.size(), 3u);
  EXPECT_EQ(page->executions[2].spec.indices, (IndexRange{4, 5}));
  InstanceId worker = register_worker();
  auto given = orders(worker);
  ASSERT_EQ(given.assignments.size(), 3u);
  EXPECT_EQ(get(id).state, ExecutionState::running);
  finish(given.assignments[0].attempt_id, OutcomeKind::succeeded, 0);
  finish(given.assignments[1].attempt_id, OutcomeKind::exited, 7);
  EXPECT_EQ(get(id).state, ExecutionState::running);
  MeasureEvent event;
  event.sequence = 1;
  event.path = "cube";
  event.value = JsonText{"64"};
  event.index = 4;
  FinishReport report;
  report.outcome = Outcome{OutcomeKind::succeeded, 0, std::nullopt, false, ""};
  report.measures = {event};
  call("POST", "/v1/attempts/" + given.assignments[2].attempt_id.to_string() + "/finish", finish_to_json(report));
  EXPECT_EQ(call("GET", "/v1/executions/" + id.to_string() + "/measures").body, "{\"4\": {\"cube\": 64}}");
  Execution done = get(id);
  EXPECT_EQ(done.state, ExecutionState::finished);
  EXPECT_EQ(done.outcome->exit_status, 7);
  EXPECT_EQ(done.outcome->reason, "1 of 3 parts did not succeed");
}

TEST_F(ControllerTest, PartsComeInPagesAndBriefly) {
  ExecutionSpec whole = spec();
  whole.parallel_indices_range = IndexRange{0, 5};
  whole.metadata = {R"({"long": "text"})"};
  const ExecutionId id = submit(whole);
  const std::string target = "/v1/executions/" + id.to_string() + "/parts";
  auto read = [&](const std::string& query) { return drain(*call("GET", target + query).stream); };
  const std::string all = read("");
  auto page = execution_page_from_json(all);
  ASSERT_TRUE(page) << all;
  ASSERT_EQ(page->executions.size(), 5u);
  EXPECT_EQ(page->executions[4].spec.metadata.text, whole.metadata.text);
  EXPECT_EQ(page->executions[1].waiting_for, "an instance: none is running yet");
  std::vector<int64_t> indices;
  std::string cursor;
  for (int pages = 0; pages < 3; ++pages) {
    const std::string json = read("?brief=1&limit=2" + cursor);
    EXPECT_EQ(json.find("metadata"), std::string::npos);
    auto part = parts_page_from_json(json);
    ASSERT_TRUE(part) << json;
    for (const Execution& each : part->executions) indices.push_back(each.spec.indices->from);
    ASSERT_EQ(part->cursor.has_value(), pages < 2);
    if (part->cursor) cursor = "&cursor=" + part->cursor->to_string();
  }
  EXPECT_EQ(indices, (std::vector<int64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(call("GET", target + "?cursor=" + id.to_string()).status, 400);
  EXPECT_EQ(call("GET", target + "?cursor=x").status, 400);
  EXPECT_EQ(call("GET", target + "?limit=0").status, 400);
}

// However many parts: their end takes as many calls of the database.
TEST_F(ControllerTest, StoppingACompositeTakesAsManyCallsHoweverManyPartsItHas) {
  auto calls_to_stop = [&](int64_t parts) {
    const auto memory = make_memory_database();
    FaultInjectingDatabase counting(*memory);
    Controller other({true, "0.1.0", std::nullopt, ""}, clock_, counting, packs_, logs_, provider_);
    ExecutionService& executions = other.context().executions;
    ExecutionSpec whole = spec();
    whole.parallel_indices_range = IndexRange{0, parts};
    EXPECT_TRUE(memory->blobs().add_pack(Uuid::make_v7(clock_), 1, std::vector{BlobRecord{.digest = tree_}}));
    const uint64_t before_submission = counting.calls();
    const ExecutionId id = *executions.submit({whole, {}, {}}, "");
    const uint64_t before = counting.calls();
    EXPECT_LT(before - before_submission, 5u);
    EXPECT_EQ(executions.unfinished(), static_cast<size_t>(parts));
    auto in_hand = executions.request_stop(id);
    EXPECT_TRUE(in_hand);
    EXPECT_TRUE(in_hand->empty());
    EXPECT_EQ(executions.unfinished(), 0u);
    const auto done = executions.get(id);
    EXPECT_EQ(done->outcome->kind, OutcomeKind::stopped);
    EXPECT_EQ(done->outcome->reason, fmt::format("{0} of {0} parts did not succeed", parts));
    return counting.calls() - before;
  };
  EXPECT_EQ(calls_to_stop(500), calls_to_stop(5));
}

TEST_F(ControllerTest, StopOfACompositeTellsEachPartAndOrdersTheEndOfThoseInHand) {
  ExecutionSpec whole = spec();
  whole.parallel_indices_range = IndexRange{0, 4};
  whole.resources.cpus = 2;
  const ExecutionId id = submit(whole);
  const InstanceId worker = register_worker();
  auto given = orders(worker);
  ASSERT_FALSE(given.assignments.empty());
  const size_t in_hand = given.assignments.size();
  ASSERT_LT(in_hand, 4u);
  std::vector<ExecutionId> parts;
  ASSERT_TRUE(controller_.context().executions.each_part(id, std::nullopt, [&](const Execution& part) {
    parts.push_back(part.id);
    return true;
  }));
  std::map<ExecutionId, int> told;
  std::vector<std::shared_ptr<void>> subscriptions;
  for (ExecutionId part : parts)
    subscriptions.push_back(controller_.context().notifier.subscribe(part.uuid(), [&, part] { ++told[part]; }));
  call("POST", "/v1/executions/" + id.to_string() + "/stop");
  EXPECT_EQ(orders(worker).stops.size(), in_hand);
  for (size_t i = 0; i < parts.size(); ++i) {
    const Execution part = get(parts[i]);
    EXPECT_TRUE(part.stop_requested);
    EXPECT_EQ(part.state == ExecutionState::finished, i >= in_hand);
    if (i >= in_hand) EXPECT_EQ(told[parts[i]], 1);
  }
  EXPECT_EQ(get(id).state, ExecutionState::running);
  for (const auto& assignment : given.assignments) finish(assignment.attempt_id, OutcomeKind::stopped, 143);
  const Execution done = get(id);
  EXPECT_EQ(done.state, ExecutionState::finished);
  EXPECT_EQ(done.outcome->reason, "4 of 4 parts did not succeed");
}

// What its parts report costs the whole nothing but what it shows of them.
TEST_F(ControllerTest, TheRowOfACompositeIsWrittenAsItsStateChanges) {
  ExecutionSpec whole = spec();
  whole.parallel_indices_range = IndexRange{0, 20};
  whole.resources.cpus = 0.1;
  const ExecutionId id = submit(whole);
  auto given = orders(register_worker());
  ASSERT_EQ(given.assignments.size(), 20u);
  for (const auto& assignment : given.assignments) {
    call("POST", "/v1/attempts/" + assignment.attempt_id.to_string() + "/started", moment_to_json({clock_.now()}));
    finish(assignment.attempt_id, OutcomeKind::succeeded, 0);
  }
  const auto record = *database_->executions().find(id);
  EXPECT_EQ(record->execution.state, ExecutionState::finished);
  EXPECT_EQ(record->version, 3u);  // starting, running, finished
  EXPECT_EQ(record->execution.outcome->kind, OutcomeKind::succeeded);
}

TEST_F(ControllerTest, ACompositeIsFinishedByTheNextController) {
  ExecutionSpec whole = spec();
  whole.parallel_indices_range = IndexRange{0, 3};
  whole.resources.cpus = 0.1;
  ExecutionId id = submit(whole);
  auto given = orders(register_worker());
  ASSERT_EQ(given.assignments.size(), 3u);
  finish(given.assignments[0].attempt_id, OutcomeKind::stopped, 143);
  finish(given.assignments[1].attempt_id, OutcomeKind::succeeded, 0);
  // The last part's end is stored, and the controller dies before that of the whole is.
  auto last = *database_->executions().find(given.assignments[2].execution_id);
  ASSERT_TRUE(last);
  last->execution.state = ExecutionState::finished;
  last->execution.outcome = Outcome{OutcomeKind::exited, 7, std::nullopt, false, ""};
  ASSERT_TRUE(*database_->executions().save(last->execution, last->version, std::nullopt, "{}", Durability::durable));
  Controller next({true, "0.1.0", std::nullopt, ""}, clock_, *database_, packs_, logs_, provider_);
  ASSERT_TRUE(next.load());
  const auto done = next.context().executions.get(id);
  ASSERT_TRUE(done);
  ASSERT_EQ(done->state, ExecutionState::finished);
  EXPECT_EQ(done->outcome->kind, OutcomeKind::stopped);  // as some part was
  EXPECT_EQ(done->outcome->reason, "2 of 3 parts did not succeed");
}

TEST_F(ControllerTest, OnlyAContainerMayHaveNoCommand) {
  auto status = [this](const EnvironmentRecipe& recipe) {
    ExecutionSpec bare = spec();
    bare.command.clear();
    bare.snapshot.environment = recipe;
    return call("POST", "/v1/executions", submission_to_json({bare, {}})).status;
  };
  EXPECT_EQ(status({}), 400);
  EXPECT_EQ(status({"debian:12", {}, false, {}}), 201);
  EXPECT_EQ(status({"", {}, true, {}}), 201);
  EXPECT_EQ(status({"debian:12", {}, true, {}}), 400);
  EXPECT_EQ(status({"", {}, false, ImageIdentity{"sha256:1", ""}}), 400);
}

TEST_F(ControllerTest, KeepsTheImageOfAnExecution) {
  ExecutionSpec contained = spec();
  contained.snapshot.environment.image = "debian:12";
  contained.resources.cpus = 0.5;
  ExecutionId told = submit(contained), untold = submit(contained);
  InstanceId worker = register_worker();
  auto given = orders(worker);
  ASSERT_EQ(given.assignments.size(), 2u);
  EXPECT_EQ(given.assignments[0].images_repository, "registry:5000/plz");
  EXPECT_EQ(get(told).waiting_for, "its environment to be prepared");
  EXPECT_FALSE(get(told).image);
  const ImageIdentity image{"sha256:1", "debian@sha256:2"};
  call("POST", "/v1/attempts/" + given.assignments[0].attempt_id.to_string() + "/started",
       moment_to_json({clock_.now(), image}));
  EXPECT_EQ(get(told).image, image);
  EXPECT_EQ(get(told).waiting_for, "");
  finish(given.assignments[0].attempt_id, OutcomeKind::succeeded, 0);
  EXPECT_EQ(get(told).image, image);
  FinishReport report;
  report.outcome = Outcome{OutcomeKind::succeeded, 0, std::nullopt, false, ""};
  report.image = image;
  call("POST", "/v1/attempts/" + given.assignments[1].attempt_id.to_string() + "/finish", finish_to_json(report));
  EXPECT_EQ(get(untold).image, image);
  HistoryQuery query;
  query.where = parse_where("image.id = 'sha256:1'").value();
  auto cursor = *database_->history().open(query);
  EXPECT_EQ((*cursor->next())->id, untold);
  EXPECT_EQ((*cursor->next())->id, told);
}

TEST_F(ControllerTest, ACompositeHasTheImageOfItsParts) {
  ExecutionSpec whole = spec();
  whole.parallel_indices_range = IndexRange{0, 2};
  whole.snapshot.environment.dockerfile = true;
  ExecutionId id = submit(whole);
  InstanceId worker = register_worker();
  auto given = orders(worker);
  ASSERT_EQ(given.assignments.size(), 2u);
  for (const auto& part : given.assignments)
    call("POST", "/v1/attempts/" + part.attempt_id.to_string() + "/started",
         moment_to_json({clock_.now(), ImageIdentity{"sha256:1", ""}}));
  EXPECT_EQ(get(id).image, (ImageIdentity{"sha256:1", ""}));
}

TEST_F(ControllerTest, ThePreparationLogEndsWithTheStartOfTheJob) {
  ExecutionSpec contained = spec();
  contained.snapshot.environment.image = "debian:12";
  ExecutionId id = submit(contained);
  auto& context = controller_.context();
  auto follower = follow_log(context.executions, context.logs, context.notifier, id, {}, true, LogKind::preparation);
  std::string piece;
  EXPECT_EQ(follower->produce(piece, 100), Producer::State::waiting);
  InstanceId worker = register_worker();
  const std::string attempt = "/v1/attempts/" + orders(worker).assignments.at(0).attempt_id.to_string();
  EXPECT_EQ(call("PUT", attempt + "/preparation-log?offset=0", "Step 1/2\n").body, "{\"bytes\": 9}");
  EXPECT_EQ(call("GET", attempt + "/preparation-log").body, "{\"bytes\": 9}");
  EXPECT_EQ(call("GET", attempt + "/log").body, "{\"bytes\": 0}");
  EXPECT_EQ(follower->produce(piece, 100), Producer::State::data);
  EXPECT_EQ(piece, "Step 1/2\n");
  EXPECT_EQ(follower->produce(piece, 100), Producer::State::waiting);
  call("PUT", attempt + "/preparation-log?offset=9", "Step 2/2\n");
  call("POST", attempt + "/started", moment_to_json({clock_.now()}));
  EXPECT_EQ(follower->produce(piece, 100), Producer::State::data);
  EXPECT_EQ(follower->produce(piece, 100), Producer::State::end);
  EXPECT_EQ(call("PUT", attempt + "/preparation-log?offset=18", "late").status, 409);
  EXPECT_EQ(call("PUT", attempt + "/log?offset=0", "the job's own\n").status, 200);
}

TEST_F(ControllerTest, KillsOnlyIdleInstancesWithoutForce) {
  ExecutionId id = submit(spec());
  InstanceId worker = register_worker();
  AttemptId attempt = orders(worker).assignments.at(0).attempt_id;
  KillRequest request;
  request.instance_ids = {worker};
  request.user = "ada";
  auto refused = kill_answer_from_json(call("POST", "/v1/instances/kill", kill_to_json(request)).body);
  ASSERT_EQ(refused->refused.size(), 1u);
  request.force_if_not_idle = true;
  request.user = "bob";
  auto others = kill_answer_from_json(call("POST", "/v1/instances/kill", kill_to_json(request)).body);
  ASSERT_EQ(others->refused.size(), 1u);
  EXPECT_NE(others->refused[0].reason.find("--berserk"), std::string::npos);
  request.berserk = true;
  auto killed = kill_answer_from_json(call("POST", "/v1/instances/kill", kill_to_json(request)).body);
  EXPECT_EQ(killed->killed, std::vector<InstanceId>{worker});
  finish(attempt, OutcomeKind::stopped, 143);
  EXPECT_EQ(get(id).outcome->reason, "its instance " + worker.to_string() + " was killed by bob");
}

TEST_F(ControllerTest, TheSameMachineMayComeBackAsAnotherInstance) {
  ExecutionId id = submit(spec());
  InstanceId before = register_worker();
  AttemptId attempt = orders(before).assignments.at(0).attempt_id;
  call("POST", "/v1/attempts/" + attempt.to_string() + "/started", moment_to_json({clock_.now()}));
  InstanceId now = register_worker({attempt}, InstanceId::make(clock_));
  EXPECT_NE(now, before);
  EXPECT_TRUE(last_registered_.forget.empty());
  EXPECT_EQ(get(id).instance_id, now);
  // What is ordered reaches the worker under its new id.
  EXPECT_EQ(call("POST", "/v1/executions/" + id.to_string() + "/stop").status, 202);
  ASSERT_EQ(orders(now).stops.size(), 1u);
  finish(attempt, OutcomeKind::stopped, 143);
  EXPECT_EQ(get(id).outcome->kind, OutcomeKind::stopped);
}

TEST_F(ControllerTest, AKilledInstanceStaysGone) {
  ExecutionId id = submit(spec());
  InstanceId killed = register_worker();
  AttemptId attempt = orders(killed).assignments.at(0).attempt_id;
  kill_by_force(killed);
  // The worker dies before it is told.
  register_worker({attempt}, killed);
  EXPECT_TRUE(last_registered_.forget.empty());
  auto told = orders(killed);
  EXPECT_TRUE(told.shut_down);
  ASSERT_EQ(told.stops.size(), 1u);
  EXPECT_TRUE(controller_.context().workers.instances().empty());
  submit(spec());
  EXPECT_TRUE(orders(killed).assignments.empty());
  finish(attempt, OutcomeKind::stopped, 137);
  EXPECT_EQ(get(id).outcome->reason, "its instance " + killed.to_string() + " was killed by ada");
  InstanceId next = register_worker();
  EXPECT_EQ(orders(next).assignments.size(), 1u);
}

TEST_F(ControllerTest, AKilledInstanceStaysGoneForTheNextController) {
  InstanceId killed = register_worker();
  kill_by_force(killed);
  Controller next({true, "0.1.0", std::nullopt, ""}, clock_, *database_, packs_, logs_, provider_);
  ASSERT_TRUE(next.load());
  WorkerRegistration registration;
  registration.instance_id = killed;
  registration.version = "0.1.0";
  registration.host_name = "here";
  ASSERT_TRUE(next.context().workers.register_worker(registration));
  EXPECT_TRUE(next.context().workers.instances().empty());
}

TEST_F(ControllerTest, WhatAnInstanceHadThatHasGoneIsNotRunningForEver) {
  ExecutionId id = submit(spec());
  InstanceId killed = register_worker();
  AttemptId attempt = orders(killed).assignments.at(0).attempt_id;
  call("POST", "/v1/attempts/" + attempt.to_string() + "/started", moment_to_json({clock_.now()}));
  kill_by_force(killed);
  WorkerService& workers = controller_.context().workers;
  workers.lose_abandoned();  // its worker may be storing the output
  EXPECT_EQ(get(id).state, ExecutionState::running);
  clock_.advance(std::chrono::minutes(3));
  workers.lose_abandoned();
  EXPECT_EQ(get(id).state, ExecutionState::finished);
  EXPECT_EQ(get(id).outcome->kind, OutcomeKind::stopped);
  EXPECT_EQ(get(id).outcome->reason, "its instance " + killed.to_string() + " was killed by ada");
}

TEST_F(ControllerTest, AnInstanceThatIsOnlyAwayIsWaitedFor) {
  ExecutionId id = submit(spec());
  InstanceId worker = register_worker();
  ASSERT_EQ(orders(worker).assignments.size(), 1u);
  clock_.advance(std::chrono::hours(3));
  controller_.context().workers.lose_abandoned();
  EXPECT_EQ(get(id).state, ExecutionState::starting);
}

TEST_F(ControllerTest, NothingIsAssignedToAKilledInstance) {
  InstanceId killed = register_worker();
  kill_by_force(killed);
  EXPECT_EQ(controller_.context().workers.assign(killed, {}).error().code, ErrorCode::conflict);
}

TEST_F(ControllerTest, WrongRequestsAreProblemsThatNameWhatIsWrong) {
  EXPECT_EQ(call("GET", "/v1/executions/nonsense").status, 400);
  EXPECT_EQ(call("GET", "/v1/executions/" + ExecutionId::make(clock_).to_string()).status, 404);
  EXPECT_EQ(call("GET", "/v1/nothing").status, 404);
  EXPECT_EQ(call("DELETE", "/v1/ping").status, 405);
  EXPECT_EQ(call("POST", "/v1/executions", "{").status, 400);
  EXPECT_EQ(call("POST", "/v1/blobs/missing", "abc").status, 400);
  EXPECT_EQ(call("POST", "/v1/packs", "not a pack").status, 400);
  EXPECT_EQ(call("GET", "/v1/history?where=a%20%3C").status, 400);
  EXPECT_EQ(call("GET", "/v1/history?format=xml").status, 400);
  EXPECT_EQ(call("GET", "/v1/executions?limit=no").status, 400);
}

TEST(ControllerPeer, OthersAreNotServed) {
  FakeClock clock;
  auto database = make_memory_database();
  MemoryPackStore packs;
  MemoryLogStore logs;
  FakeProvider provider(Capacity{1, 0, {}});
  Controller controller({true, "0.1.0", 1000}, clock, *database, packs, logs, provider);
  Request request;
  request.method = "GET";
  request.target = *parse_target("/v1/ping");
  request.peer.uid = 1001;
  EXPECT_EQ(controller.handle(request).status, 403);
  request.peer.uid = 1000;
  EXPECT_EQ(controller.handle(request).status, 200);
}

}  // namespace
}  // namespace plz
