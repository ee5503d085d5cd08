// Over an engine that a script plays, and that fails where real ones seldom do: what is left of containers then, and
// what becomes of a stop.
#include <algorithm>
#include <mutex>
#include <thread>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/server_fixture.h"
#include "os/file.h"
#include "runtime/docker/docker_runtime.h"

namespace plz {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kController[] = "scripted";

// Its containers run until they are killed, and print nothing. Thread-safe.
class ScriptedEngine {
 public:
  enum class Fault { none, answer_is_lost, not_done, refused };

  ScriptedEngine() : server_([this](Request& request) { return answer(request); }) {}
  EngineSettings settings() const { return {server_.endpoint(), "this test"}; }

  // Of the calls with this last word ("create", "start", "kill", "remove", "json"): from now on.
  void set_fault(const std::string& call, Fault fault) {
    std::lock_guard lock(mutex_);
    faults_[call] = fault;
  }
  void set_away(bool away) {
    std::lock_guard lock(mutex_);
    away_ = away;
  }
  void run_out_of_memory() {
    std::lock_guard lock(mutex_);
    out_of_memory_ = true;
  }
  void on_create(std::function<void()> then) {
    std::lock_guard lock(mutex_);
    on_create_ = std::move(then);
  }
  // What was killed did not heed it.
  void run_again() {
    std::lock_guard lock(mutex_);
    for (auto& [id, container] : containers_) container.status = "running";
  }
  std::vector<std::string> names() const {
    std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    for (const auto& [id, container] : containers_) names.push_back(container.name);
    return names;
  }
  std::vector<std::string> signals() const {
    std::lock_guard lock(mutex_);
    return signals_;
  }
  int starts() const {
    std::lock_guard lock(mutex_);
    return starts_;
  }

 private:
  struct Container {
    std::string name, status = "created";
    int exit_code = 0;
    Json labels;
  };
  using Containers = std::map<std::string, Container>;

  static Response json(int status, const Json& body) { return {.status = status, .body = body.dump()}; }
  static Response says(int status, const std::string& words) { return json(status, {{"message", words}}); }

  Response answer(Request& request) {
    if (request.target.path == "/_ping") {
      Response pong{.body = "OK"};
      pong.headers.add("Api-Version", "1.41");
      return pong;
    }
    std::string body = request.body ? request.body->read_all(1 << 20).value_or("") : "";
    std::lock_guard lock(mutex_);
    if (away_) return says(503, "away");
    const std::string call = request.method == "DELETE" ? "remove" : base_name(request.target.path);
    const Fault fault = faults_[call];
    if (fault == Fault::not_done) return says(503, call + " is not done");
    if (fault == Fault::refused) return says(400, call + " is refused");
    Response done = serve(request, call, body);
    return fault == Fault::answer_is_lost ? says(503, "the answer is lost") : done;
  }

  Response serve(Request& request, const std::string& call, const std::string& body) {
    const std::string& path = request.target.path;
    if (path.find("/images/") != path.npos) return json(200, {{"Id", "sha256:1"}, {"Config", Json::object()}});
    if (call == "create") return create(request.target.query["name"], Json::parse(body));
    const std::string which = base_name(call == "remove" ? path : parent_path(path));
    auto found = std::find_if(containers_.begin(), containers_.end(),
                              [&](const auto& entry) { return entry.first == which || entry.second.name == which; });
    if (found == containers_.end()) return says(404, "no such container: " + which);
    Container& container = found->second;
    if (call == "json")
      return json(
          200,
          {{"Id", found->first},
           {"Name", "/" + container.name},
           {"State", {{"Status", container.status}, {"ExitCode", container.exit_code}, {"OOMKilled", out_of_memory_}}},
           {"Config", {{"Labels", container.labels}}}});
    if (call == "start") {
      ++starts_;
      container.status = "running";
      return {.status = 204};
    }
    if (call == "kill") {
      if (container.status != "running") return says(409, "it does not run");
      signals_.push_back(request.target.query["signal"]);
      container.status = "exited";
      container.exit_code = 128 + SIGTERM;
      return {.status = 204};
    }
    if (call == "remove") {
      containers_.erase(found);
      return {.status = 204};
    }
    return call == "logs" ? Response{} : says(500, "what is " + call + "?");
  }

  Response create(const std::string& name, const Json& body) {
    for (const auto& [id, container] : containers_)
      if (container.name == name) return says(409, fmt::format("the name {} is in use", name));
    const std::string id = fmt::format("id{}", ++made_);
    containers_[id] = {.name = name, .labels = body["Labels"]};
    if (on_create_) on_create_();
    return json(201, {{"Id", id}});
  }

  mutable std::mutex mutex_;
  std::map<std::string, Fault> faults_;  // guarded by mutex_, as what follows
  bool away_ = false, out_of_memory_ = false;
  std::function<void()> on_create_;
  Containers containers_;
  std::vector<std::string> signals_;
  int starts_ = 0, made_ = 0;
  testing_net::TestServer server_;
};

using Fault = ScriptedEngine::Fault;

class DockerLostAnswersTest : public testing::Test {
 protected:
  DockerLostAnswersTest() : runtime_(docker()) {}
  std::unique_ptr<DockerRuntime> docker() {
    return std::make_unique<DockerRuntime>(DockerRuntimeSettings{"/plz-init", kController, 500ms}, engine_.settings());
  }
  LaunchSpec spec_for(const std::string& arguments = "{}") {
    LaunchSpec spec;
    spec.attempt_id = AttemptId::make(SystemClock());
    spec.execution_id = ExecutionId::make(SystemClock());
    spec.paths.directory = directory_.path() + "/" + spec.attempt_id.to_string();
    for (const std::string& path : {spec.paths.output(), spec.paths.measures(), directory_.path() + "/code"})
      EXPECT_TRUE(make_directories(path));
    spec.image = "sha256:1";
    spec.command = {"true"};
    spec.code_tree = directory_.path() + "/code";
    spec.docker_run_args.text = arguments;
    return spec;
  }
  static std::string name_of(const LaunchSpec& spec) { return "plz-" + spec.attempt_id.to_string(); }

  TemporaryDirectory directory_;
  ScriptedEngine engine_;
  std::unique_ptr<DockerRuntime> runtime_;
};

constexpr char kEnginesLog[] = R"({"log_config": {"type": "json-file"}})";

TEST_F(DockerLostAnswersTest, AContainerWhoseCreationWasNotHeardOfIsRemoved) {
  auto spec = spec_for();
  engine_.set_fault("create", Fault::answer_is_lost);
  auto started = runtime_->start(spec);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::unavailable);
  EXPECT_THAT(engine_.names(), ElementsAre(name_of(spec)));
  EXPECT_TRUE(runtime_->destroy(spec.paths));
  EXPECT_THAT(engine_.names(), IsEmpty());
}

TEST_F(DockerLostAnswersTest, AContainerWhoseCreationWasNotHeardOfMakesRoomForAnother) {
  auto spec = spec_for();
  engine_.set_fault("create", Fault::answer_is_lost);
  ASSERT_FALSE(runtime_->start(spec));
  engine_.set_fault("create", Fault::none);
  EXPECT_TRUE(runtime_->start(spec));
  EXPECT_EQ(engine_.starts(), 1);
  EXPECT_TRUE(runtime_->destroy(spec.paths));
  EXPECT_THAT(engine_.names(), IsEmpty());
}

TEST_F(DockerLostAnswersTest, WhileTheEngineIsAwayContainersWaitForTheirRemoval) {
  auto unheard = spec_for(), known = spec_for();
  ASSERT_TRUE(runtime_->start(known));
  engine_.set_fault("create", Fault::answer_is_lost);
  ASSERT_FALSE(runtime_->start(unheard));
  engine_.set_away(true);
  EXPECT_FALSE(runtime_->destroy(unheard.paths));
  EXPECT_FALSE(runtime_->destroy(known.paths));
  runtime_->remove_abandoned();
  engine_.set_away(false);
  EXPECT_EQ(engine_.names().size(), 2u);
  runtime_->remove_abandoned();
  EXPECT_THAT(engine_.names(), IsEmpty());
}

TEST_F(DockerLostAnswersTest, AContainerThatIsRefusedAndStaysIsRemovedLater) {
  auto spec = spec_for();
  engine_.set_fault("start", Fault::refused);
  engine_.set_fault("remove", Fault::not_done);
  auto started = runtime_->start(spec);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::invalid);
  EXPECT_THAT(engine_.names(), ElementsAre(name_of(spec)));
  engine_.set_fault("remove", Fault::none);
  runtime_->remove_abandoned();
  EXPECT_THAT(engine_.names(), IsEmpty());
}

TEST_F(DockerLostAnswersTest, AContainerThatCannotBeNotedIsRemoved) {
  auto spec = spec_for();
  engine_.on_create([&] {
    // In the way of the second note.
    const std::string note = spec.paths.directory + "/init.container";
    EXPECT_EQ(rename(note.c_str(), (spec.paths.directory + "/first").c_str()), 0);
    EXPECT_TRUE(make_directories(note + "/full"));
  });
  EXPECT_FALSE(runtime_->start(spec));
  EXPECT_THAT(engine_.names(), IsEmpty());
}

TEST_F(DockerLostAnswersTest, TakesTheEnginesWordForALackOfMemoryThatPlzInitDoesNotSee) {
  engine_.run_out_of_memory();
  for (const char* seen : {"", "cgroup_oom_kills 0\n"}) {
    auto spec = spec_for();
    ASSERT_TRUE(runtime_->start(spec));
    const std::string exit = fmt::format("plz-init-exit 1\noutcome signalled\nsignal 9\noom_kills 0\n{}end\n", seen);
    ASSERT_TRUE(write_file_atomically(spec.paths.directory + "/init.exit", exit, 0600, Sync::no));
    ASSERT_TRUE(write_file_atomically(spec.paths.directory + "/init.end", "plz-init-end 1\nend\n", 0600, Sync::no));
    EXPECT_EQ(runtime_->wait(spec.paths, {})->outcome.out_of_memory, *seen == 0) << seen;
  }
}

TEST_F(DockerLostAnswersTest, AStopIsNotTakenWhileTheEngineIsAway) {
  auto spec = spec_for(kEnginesLog);
  ASSERT_TRUE(runtime_->start(spec));
  engine_.set_away(true);
  auto stopped = runtime_->stop(spec.paths, 1h);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::unavailable);
  engine_.set_away(false);
  engine_.set_fault("kill", Fault::not_done);
  EXPECT_EQ(runtime_->stop(spec.paths, 1h).error().code, ErrorCode::unavailable);
  engine_.set_fault("kill", Fault::none);
  EXPECT_TRUE(runtime_->stop(spec.paths, 1h));
  EXPECT_THAT(engine_.signals(), ElementsAre("15"));
  EXPECT_EQ(runtime_->wait(spec.paths, {})->outcome.signal, SIGTERM);
}

TEST_F(DockerLostAnswersTest, AStopIsSignalledOnce) {
  auto spec = spec_for(kEnginesLog);
  ASSERT_TRUE(runtime_->start(spec));
  ASSERT_TRUE(runtime_->stop(spec.paths, 1h));
  engine_.run_again();
  // By a later worker, of what is left of the time.
  auto later = docker();
  ASSERT_TRUE(later->stop(spec.paths, 1min));
  EXPECT_THAT(engine_.signals(), ElementsAre("15"));
  ASSERT_TRUE(later->stop(spec.paths, 0ms));
  EXPECT_THAT(engine_.signals(), ElementsAre("15", "KILL"));
}

TEST_F(DockerLostAnswersTest, AnUnheardStartIsMadeUpFor) {
  auto spec = spec_for(kEnginesLog);
  engine_.set_fault("start", Fault::not_done);
  ASSERT_TRUE(runtime_->start(spec));
  engine_.set_fault("start", Fault::none);
  std::jthread waiting([&] { EXPECT_EQ(runtime_->wait(spec.paths, {})->outcome.signal, SIGTERM); });
  EXPECT_TRUE(testing_net::eventually([&] { return engine_.starts() == 1; }));
  EXPECT_TRUE(runtime_->stop(spec.paths, 1h));
}

TEST_F(DockerLostAnswersTest, AnUnheardStartThatIsNotWantedAnyMoreIsNotMadeUpFor) {
  auto spec = spec_for(kEnginesLog);
  engine_.set_fault("start", Fault::not_done);
  ASSERT_TRUE(runtime_->start(spec));
  ASSERT_TRUE(runtime_->stop(spec.paths, 1h));
  engine_.set_fault("start", Fault::none);
  auto report = runtime_->wait(spec.paths, {});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->outcome.kind, OutcomeKind::could_not_start);
  EXPECT_EQ(report->outcome.reason, "stopped before it started");
  EXPECT_EQ(engine_.starts(), 0);
}

}  // namespace
}  // namespace plz
