#include "wire/worker_api.h"

#include <gtest/gtest.h>

#include "wire/instance_json.h"
#include "wire/sample_values.h"

namespace plz {
namespace {

// What is written, and that writing what was read from it gives the same again.
template <typename T>
void expect_golden(const T& value, std::string (*write)(const T&), Result<T> (*read)(std::string_view),
                   const std::string& golden) {
  EXPECT_EQ(write(value), golden);
  auto back = read(golden);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(write(*back), golden);
}

Assignment sample_assignment() {
  return {sample_id<AttemptId>(1), sample_id<ExecutionId>(2), sample_spec(),      {{"HOME", "/root"}},
          {"0", "GPU-1"},          "registry:5000/plz",       sample_attributes()};
}

TEST(WorkerApi, Registration) {
  WorkerRegistration registration{
      sample_id<InstanceId>(1), "0.1", "box", {2, 1024, {"0"}}, {{"sandbox", true, "0.8", ""}},
      {sample_id<AttemptId>(2)}};
  expect_golden(registration, registration_to_json, registration_from_json,
                R"({"instance_id": "019aab9e-3c6f-7d52-9d0f-000000000001", "version": "0.1", "host_name": "box", )"
                R"("capacity": {"cpus": 2, "memory_bytes": 1024, "gpus": ["0"]}, "runtimes": [{"name": "sandbox", )"
                R"("available": true, "version": "0.8", "detail": ""}], )"
                R"("attempts": ["019aab9e-3c6f-7d52-9d0f-000000000002"]})");
  expect_golden(WorkerRegistered{sample_id<InstanceId>(1), {sample_id<AttemptId>(2)}}, registered_to_json,
                registered_from_json,
                R"({"instance_id": "019aab9e-3c6f-7d52-9d0f-000000000001", )"
                R"("forget": ["019aab9e-3c6f-7d52-9d0f-000000000002"]})");
}

TEST(WorkerApi, AssignmentComesBack) {
  auto back = assignment_from_json(assignment_to_json(sample_assignment()));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, sample_assignment());
}

TEST(WorkerApi, Orders) {
  WorkerOrders orders;
  orders.stops = {{sample_id<AttemptId>(3), 1500}};
  orders.captures = {{sample_id<AttemptId>(4), "r1"}};
  orders.collections = {{"r2", true, true, false, {"sha256:1"}, sample_time(2)}};
  orders.shut_down = true;
  expect_golden(
      orders, orders_to_json, orders_from_json,
      R"({"assignments": [], "stops": [{"attempt_id": "019aab9e-3c6f-7d52-9d0f-000000000003", )"
      R"("grace_milliseconds": 1500}], "captures": [{"attempt_id": )"
      R"("019aab9e-3c6f-7d52-9d0f-000000000004", "request_id": "r1"}], "collections": [{"request_id": "r2", )"
      R"("dry_run": true, "environments": true, "caches": false, "keep_images": ["sha256:1"], )"
      R"("kept_at": "2026-01-01T00:00:00.002000Z", "outputs_until": null, "keep_outputs": [], "drop_outputs": []}], )"
      R"("shut_down": true})");
  orders.assignments = {sample_assignment()};
  auto back = orders_from_json(orders_to_json(orders));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->assignments, orders.assignments);
}

TEST(WorkerApi, Finish) {
  FinishReport report;
  report.outcome = {OutcomeKind::exited, 42, std::nullopt, false, ""};
  report.started = sample_time(1);
  report.output_tree = sample_digest('d');
  report.output_bytes = 5;
  report.log_bytes = 6;
  report.image = ImageIdentity{"sha256:4d", "plz@sha256:5e"};
  report.measures = {{1, "summary", sample_time(2), JsonText{"{\"x\": 1.0}"}, 7}};
  expect_golden(report, finish_to_json, finish_from_json,
                R"({"outcome": {"kind": "exited", "exit_status": 42, "signal": null, "out_of_memory": false, )"
                R"("reason": ""}, "started": "2026-01-01T00:00:00.001000Z", "ended": null, "output_tree": )"
                R"("dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd", "output_bytes": 5, )"
                R"("log_bytes": 6, "measures": [{"sequence": 1, "path": "summary", "time": )"
                R"("2026-01-01T00:00:00.002000Z", "value": {"x": 1.0}, "index": 7}], "image": {"id": "sha256:4d", )"
                R"("digest": "plz@sha256:5e", "base_id": "", "base_digest": ""}})");
}

TEST(WorkerApi, MomentsAndCaptures) {
  expect_golden(AttemptMoment{sample_time(3)}, moment_to_json, moment_from_json,
                R"({"time": "2026-01-01T00:00:00.003000Z", "image": null})");
  expect_golden(AttemptMoment{sample_time(3), ImageIdentity{"sha256:4d", ""}}, moment_to_json, moment_from_json,
                R"({"time": "2026-01-01T00:00:00.003000Z", "image": {"id": "sha256:4d", "digest": "", )"
                R"("base_id": "", "base_digest": ""}})");
  EXPECT_FALSE(moment_from_json(R"({"time": "2026-01-01T00:00:00.003000Z"})")->image);
  expect_golden(CaptureReport{std::nullopt, 0, "gone"}, capture_report_to_json, capture_report_from_json,
                R"({"output_tree": null, "output_bytes": 0, "error": "gone"})");
}

TEST(WorkerApi, LogSize) {
  EXPECT_EQ(log_size_to_json(12), R"({"bytes": 12})");
  EXPECT_EQ(log_size_from_json(R"({"bytes": 12})"), 12u);
  EXPECT_FALSE(log_size_from_json("{}"));
}

TEST(WorkerApi, ErrorsNameTheMember) {
  EXPECT_EQ(orders_from_json(R"({"stops": [{"attempt_id": "019aab9e-3c6f-7d52-9d0f-000000000003",)"
                             R"( "grace_milliseconds": true}]})")
                .error()
                .message,
            "stops[0].grace_milliseconds must be a number");
  EXPECT_EQ(finish_from_json(R"({"outcome": {"kind": "fine"}})").error().message,
            "outcome.kind must be succeeded, exited, signalled, could_not_start, output_not_stored, stopped or lost");
  EXPECT_EQ(moment_from_json(R"({"time": "yesterday"})").error().message, "time must be a time (RFC 3339)");
  EXPECT_EQ(registration_from_json(R"({"version": "1", "host_name": "h", "capacity": {"gpus": [0]}})").error().message,
            "capacity.gpus[0] must be a string");
}

TEST(InstanceJson, Instances) {
  Instance instance;
  instance.id = sample_id<InstanceId>(1);
  instance.host_name = "box";
  instance.state = InstanceState::busy;
  instance.capacity = {1.5, 10, {}};
  instance.runtimes = {{"process", false, "", "no"}};
  instance.executions = {sample_id<ExecutionId>(2)};
  instance.created = sample_time(0);
  instance.last_seen = sample_time(1);
  std::string golden =
      R"({"instances": [{"instance_id": "019aab9e-3c6f-7d52-9d0f-000000000001", "provider": "local", "type": "", )"
      R"("host_name": "box", "state": "busy", "capacity": {"cpus": 1.5, "memory_bytes": 10, "gpus": []}, )"
      R"("runtimes": [{"name": "process", "available": false, "version": "", "detail": "no"}], )"
      R"("executions": ["019aab9e-3c6f-7d52-9d0f-000000000002"], "created": "2026-01-01T00:00:00.000000Z", )"
      R"("idle_since": null, "disposal": null, "last_seen": "2026-01-01T00:00:00.001000Z"}]})";
  EXPECT_EQ(instances_to_json({instance}), golden);
  auto back = instances_from_json(golden);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, std::vector<Instance>{instance});
}

TEST(InstanceJson, KillAndPing) {
  KillRequest request{{sample_id<InstanceId>(1)}, false, true, false, true, "ada"};
  expect_golden(request, kill_to_json, kill_from_json,
                R"({"instance_ids": ["019aab9e-3c6f-7d52-9d0f-000000000001"], "all": false, )"
                R"("including_idle": true, "force_if_not_idle": false, "berserk": true, "user": "ada"})");
  KillAnswer answer{{}, {{sample_id<InstanceId>(1), "busy"}}};
  expect_golden(answer, kill_answer_to_json, kill_answer_from_json,
                R"({"killed": [], "refused": [{"instance_id": "019aab9e-3c6f-7d52-9d0f-000000000001", )"
                R"("reason": "busy"}]})");
  expect_golden(Ping{"0.1", 1, true, 77, 3, sample_time(1)}, ping_to_json, ping_from_json,
                R"({"version": "0.1", "api": 1, "embedded": true, "pid": 77, "unfinished": 3, )"
                R"("started": "2026-01-01T00:00:00.001000Z"})");
  EXPECT_FALSE(ping_from_json(R"({"version": "0.1", "api": 1})")->started);
}

}  // namespace
}  // namespace plz
