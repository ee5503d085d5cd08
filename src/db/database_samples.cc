#include "db/database_samples.h"

#include <cstring>

namespace plz {

NewExecution sample_execution(const Clock& clock, const std::string& user, const std::string& project) {
  NewExecution created;
  Execution& execution = created.execution;
  execution.id = ExecutionId::make(clock);
  execution.spec.user = user;
  execution.spec.project = project;
  execution.spec.command = {"python3", "train.py"};
  execution.times.submitted = clock.now();
  created.document = "{\"id\":\"" + execution.id.to_string() + "\"}";
  return created;
}

ExecutionSpec full_spec(const Clock& clock) {
  ExecutionSpec spec;
  spec.user = "ada l\xc3\xb6velace";
  spec.project = std::string("a\0b\xff", 4);
  spec.command = {"sh", "-c", "", "echo \xff"};
  spec.parameters.text = R"({"lr": 1e-3, "n": NaN})";
  spec.snapshot = {sample_digest(1),
                   {"debian:12",
                    {"RUN a", "RUN b"},
                    true,
                    ImageIdentity{"sha256:1", "debian@sha256:2", "sha256:5", "debian@sha256:6"}}};
  spec.input = Input{sample_digest(2), "file:///data", 1ull << 40};
  spec.market = {"p3.large", MarketType::spot, 0.7, std::nullopt, 5};
  spec.resources = {1.5, 1ull << 33, 2};
  spec.environment = {{"A", "1"}, {"B", ""}};
  spec.docker_run_args.text = R"({"shm_size": "1g"})";
  spec.network = false;
  spec.configuration.text = R"({"user": "ada"})";
  spec.metadata.text = R"({"git": {}})";
  spec.previous_execution_id = ExecutionId::make(clock);
  spec.outputs = {"checkpoints", "runs/**", "\xff"};
  spec.runtime = "process";
  spec.parallel_indices_range = IndexRange{-3, 7};
  spec.indices_per_execution = 4;
  spec.parent_id = ExecutionId::make(clock);
  spec.indices = IndexRange{INT64_MIN, INT64_MAX};
  return spec;
}

Execution finished_execution(Execution execution, const Clock& clock) {
  Timestamp now = clock.now();
  execution.state = ExecutionState::finished;
  execution.outcome = Outcome{OutcomeKind::signalled, 137, 9, true, "the kernel said so"};
  execution.waiting_for = "";
  execution.stop_requested = true;
  execution.times = {now, now + std::chrono::microseconds(1), now + std::chrono::microseconds(2),
                     now + std::chrono::microseconds(3), now + std::chrono::microseconds(4)};
  execution.attempts = 2;
  execution.attempt_id = AttemptId::make(clock);
  execution.instance_id = InstanceId::make(clock);
  execution.output_tree = sample_digest(3);
  execution.output_bytes = 1ull << 41;
  execution.image = ImageIdentity{"sha256:3", "debian@sha256:4", "sha256:7", "debian@sha256:8"};
  return execution;
}

Attempt sample_attempt(const Clock& clock, const Execution& execution, uint32_t number) {
  Attempt attempt;
  attempt.id = AttemptId::make(clock);
  attempt.execution_id = execution.id;
  attempt.instance_id = InstanceId::make(clock);
  attempt.number = number;
  attempt.gpu_ids = {"0", "GPU-1234"};
  attempt.started = clock.now();
  attempt.log_bytes = 77;
  return attempt;
}

Instance sample_instance(const Clock& clock) {
  Instance instance;
  instance.id = InstanceId::make(clock);
  instance.provider = "ec2";
  instance.type = "t2.micro";
  instance.host_name = "node7";
  instance.state = InstanceState::idle;
  instance.capacity = {4, 1ull << 34, {"0", "1"}};
  instance.runtimes = {{"sandbox", true, "0.8", ""}, {"docker", false, "", "no socket"}};
  instance.created = clock.now();
  instance.idle_since = clock.now() + std::chrono::seconds(1);
  instance.disposal = clock.now() + std::chrono::seconds(2);
  instance.last_seen = clock.now() + std::chrono::seconds(3);
  return instance;
}

MeasureEvent sample_event(uint64_t sequence, const std::string& path, const std::string& value,
                          std::optional<int64_t> index) {
  return {sequence, path, Timestamp(std::chrono::microseconds(1'000'000 + sequence)), {value}, index};
}

// Spread as real digests are.
Digest sample_digest(uint64_t number) {
  std::array<uint8_t, Digest::kBytes> bytes{};
  for (size_t i = 0; i < bytes.size(); i += 8) {
    number = number * 6364136223846793005ull + 1442695040888963407ull;
    uint64_t mixed = number ^ number >> 29;
    memcpy(bytes.data() + i, &mixed, 8);
  }
  return Digest(bytes);
}

BlobRecord sample_blob(uint64_t number, const Uuid& pack) {
  return {sample_digest(number), pack, number * 100, 60, 100, ~number, static_cast<uint8_t>(number % 3)};
}

}  // namespace plz
