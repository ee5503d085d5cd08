// An agent in a thread, over a controller in memory and a runtime that plays jobs.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "os/file.h"
#include "runtime/fake/fake_runtime.h"
#include "store/materialise.h"
#include "worker/agent.h"
#include "worker/fake_controller.h"

namespace plz::testing_worker {

inline AttemptId attempt_id(int number) {
  return *AttemptId::parse("019aab9e-3c6f-7d52-9d0f-0000000000" + std::to_string(10 + number));
}

class AgentTest : public testing::Test {
 protected:
  AgentTest() : runtime_(clock_, [this](const LaunchSpec& spec) { return script_(spec); }) {
    code_ = controller_.put_tree({{"train.py", "print(1)"}});
    settings_.directory = directory_.path() + "/worker";
    settings_.poll = std::chrono::seconds(60);
    settings_.backoff = {std::chrono::milliseconds(1), std::chrono::milliseconds(4)};
    settings_.storage_patience = std::chrono::milliseconds(50);
  }
  ~AgentTest() override { stop(); }

  // Until the test finishes them, or somebody stops them.
  void jobs_go_on() { script_ = going_on(false); }
  void jobs_go_on_though_stopped() { script_ = going_on(true); }
  static FakeRuntime::Script going_on(bool ignores_stop) {
    return [ignores_stop](const LaunchSpec&) {
      FakeJob job;
      job.ends_by_itself = false;
      job.ignores_stop = ignores_stop;
      return job;
    };
  }
  void start() { start(clock_); }
  void start(const Clock& clock) {
    agent_ = std::make_unique<Agent>(settings_, controller_, std::vector<Runtime*>{&runtime_}, clock);
    if (containers_) agent_->collect_from(*containers_);
    ended_ = false;
    thread_ = std::jthread([this](std::stop_token stop) {
      result_ = agent_->run(stop);
      ended_ = true;
    });
  }
  void stop() {
    thread_ = {};
    agent_.reset();
  }
  bool has_ended() const { return ended_; }

  Assignment assignment(int number) {
    Assignment assignment;
    assignment.attempt_id = attempt_id(number);
    assignment.execution_id = *ExecutionId::parse(attempt_id(number).to_string());
    assignment.spec.user = "ada";
    assignment.spec.command = {"true"};
    assignment.spec.snapshot.code_tree = code_;
    assignment.shell_environment = {{"PATH", "/bin"}, {"HOME", "/root"}, {"SECRET", "s"}};
    return assignment;
  }
  AttemptPaths paths(int number) const { return {settings_.directory + "/attempts/" + attempt_id(number).to_string()}; }
  bool is_removed(int number) const {
    return eventually([&] { return !path_exists(paths(number).directory); });
  }
  FinishReport run(Assignment assignment) {
    AttemptId id = assignment.attempt_id;
    controller_.give(std::move(assignment));
    if (!agent_) start();
    return controller_.wait_for_finish(id);
  }
  std::string stored_file(const Digest& tree, std::string_view path) {
    auto entry = find_entry(tree, path, controller_.store());
    if (!entry || !*entry) return "absent";
    return controller_.store().get((*entry)->digest).value_or("not in the store");
  }

  TemporaryDirectory directory_{in_memory()};
  SystemClock clock_;
  FakeController controller_;
  std::function<FakeJob(const LaunchSpec&)> script_ = [](const LaunchSpec&) { return FakeJob{}; };
  FakeRuntime runtime_;
  Digest code_;
  AgentSettings settings_;
  ContainerKeeper* containers_ = nullptr;
  std::unique_ptr<Agent> agent_;
  std::atomic<bool> ended_{false};
  Result<void> result_;
  std::jthread thread_;
};

}  // namespace plz::testing_worker
