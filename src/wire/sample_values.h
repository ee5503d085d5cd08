// Values with every member set, for the tests of this folder.
#pragma once

#include "base/clock.h"
#include "base/process_attributes.h"
#include "model/execution.h"
#include "model/instance.h"

namespace plz {

template <typename Id>
Id sample_id(int number) {
  std::string text = "019aab9e-3c6f-7d52-9d0f-0000000000";
  text += static_cast<char>('0' + number / 10 % 10);
  text += static_cast<char>('0' + number % 10);
  return *Id::parse(text);
}

inline Timestamp sample_time(int64_t milliseconds) {
  return Timestamp(std::chrono::seconds(1'767'225'600) + std::chrono::milliseconds(milliseconds));
}

inline Digest sample_digest(char digit) { return *Digest::parse(std::string(64, digit)); }

inline ProcessAttributes sample_attributes() {
  ProcessAttributes attributes;
  attributes.limits = {{"nofile", {1024, 4096}}, {"as", {}}};
  attributes.affinity = "0-3,8";
  attributes.niceness = -5;
  attributes.umask = 077;
  attributes.scheduling = "batch";
  attributes.io_priority = 24576;
  attributes.oom_score = 500;
  attributes.personality = 262144;
  return attributes;
}

inline ExecutionSpec sample_spec() {
  ExecutionSpec spec;
  spec.user = "ada";
  spec.project = "digits \"é\"";
  spec.command = {"python3", "train.py", "caf\xe9"};
  spec.parameters.text = "{\"lr\": 1e-3, \"big\": 12345678901234567890.10}";
  spec.snapshot = {sample_digest('a'),
                   {"debian:12",
                    {"RUN true"},
                    true,
                    ImageIdentity{"sha256:1a", "debian@sha256:2b", "sha256:6f", "debian@sha256:7a"}}};
  spec.input = Input{sample_digest('b'), "file:///data", 42};
  spec.market = {"p3", MarketType::spot, 1.25, std::nullopt, 7};
  spec.resources = {0.5, 1u << 30, 2};
  spec.environment = {{"Z", "1"}, {"A", ""}};
  spec.docker_run_args.text = "{\"shm_size\": \"1g\"}";
  spec.network = false;
  spec.outputs = {"checkpoints", "runs/**"};
  spec.runtime = "sandbox";
  spec.configuration.text = "{\"user\": \"ada\"}";
  spec.metadata.text = "{\"git\": {\"dirty\": true}}";
  spec.previous_execution_id = sample_id<ExecutionId>(1);
  spec.indices_per_execution = 3;
  spec.parent_id = sample_id<ExecutionId>(2);
  spec.indices = IndexRange{3, 6};
  return spec;
}

inline Execution sample_execution() {
  Execution execution;
  execution.id = sample_id<ExecutionId>(3);
  execution.spec = sample_spec();
  execution.state = ExecutionState::finished;
  execution.outcome = Outcome{OutcomeKind::signalled, 137, 9, true, "killed"};
  execution.waiting_for = "";
  execution.stop_requested = true;
  execution.times = {sample_time(0), sample_time(250), sample_time(500), sample_time(2500), sample_time(2625)};
  execution.attempts = 2;
  execution.attempt_id = sample_id<AttemptId>(4);
  execution.instance_id = sample_id<InstanceId>(5);
  execution.output_tree = sample_digest('c');
  execution.output_bytes = 1000;
  execution.image = ImageIdentity{"sha256:3c", ""};
  return execution;
}

}  // namespace plz
