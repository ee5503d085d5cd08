// For tests of commands: a session whose controller answers as the test says, in this process.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/session.h"
#include "client/client_fixture.h"
#include "net/problem.h"
#include "os/temporary_directory_test.h"

namespace plz {

// The execution that tests ask for, and its path in the API.
inline constexpr const char* kIdText = "019aab9e-3c6f-7d52-9d0f-000000000003";
inline const ExecutionId kId = *ExecutionId::parse(kIdText);
inline const std::string kOne = "/v1/executions/" + std::string(kIdText);

// Finds the server that the test has put there, and counts.
class FixedFinder final : public ControllerFinder {
 public:
  FixedFinder(std::function<Result<Endpoint>()> find, bool embedded) : find_(std::move(find)), embedded_(embedded) {}
  Result<Endpoint> find() override { return find_(); }
  bool embedded() const override { return embedded_; }

 private:
  std::function<Result<Endpoint>()> find_;
  bool embedded_;
};

class ScriptedSession {
 public:
  using Asked = testing_client::Asked;

  explicit ScriptedSession(const Clock& clock = system_clock()) : clock_(clock) {
    Session::Parts parts;
    parts.configuration.user = "ada";
    parts.configuration.project = "digits";
    parts.configuration.command = {"true"};
    parts.configuration.context_path = directory.path("project");
    parts.environment = {
        {"HOME", directory.path("home")}, {"PATH", "/usr/bin:/bin"}, {"PLZ_HOST", "x"}, {"SECRET", "s"}};
    parts.login_name = "login";
    parts.system_root = directory.path("system");
    parts.working_directory = directory.path("project");
    parts.data_directory = directory.path("data");
    parts.finder = std::make_unique<FixedFinder>([this] { return find(); }, true);
    EXPECT_TRUE(make_directories(parts.working_directory));
    start();
    session = std::make_unique<Session>(std::move(parts), messages_, out_, clock_);
  }
  // Until the server ends, its threads may answer with all that is private here.
  ~ScriptedSession() {
    session = nullptr;
    server = nullptr;
  }

  // Answers to "GET /v1/…", with the query; what is not listed is 404.
  void answer(const std::string& request, std::string json, int status = 200) {
    answer(request, [json, status](const Asked&) { return testing_client::json(json, status); });
  }
  void answer(const std::string& request, testing_client::ScriptedServer::Answer answer) {
    std::lock_guard lock(mutex_);
    answers_[request] = std::move(answer);
  }

  // A new one, on another socket.
  void start() {
    server = std::make_unique<testing_client::ScriptedServer>([this](const Asked& asked) { return respond(asked); });
  }

  std::string printed() const { return content(out_path_); }
  std::string told() const { return content(err_path_); }

  TemporaryDirectory directory;
  std::unique_ptr<testing_client::ScriptedServer> server;
  std::unique_ptr<Session> session;
  int times_found = 0;

 private:
  Result<Endpoint> find() {
    ++times_found;
    return server->endpoint();
  }

  Response respond(const Asked& asked) {
    testing_client::ScriptedServer::Answer answer;
    {
      std::lock_guard lock(mutex_);
      auto found = answers_.find(asked.method + " " + asked.target);
      if (found != answers_.end()) answer = found->second;
    }
    if (answer) return answer(asked);
    return problem_response(Error{ErrorCode::not_found, "no answer to " + asked.method + " " + asked.target, {}}, "r");
  }

  static std::string content(const std::string& path) {
    auto text = read_file(path);
    return text ? *text : text.error().message;
  }

  UniqueFd open(const std::string& path) {
    auto fd = open_file(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    EXPECT_TRUE(fd);
    return fd ? std::move(*fd) : UniqueFd();
  }

  std::string out_path_ = directory.path("stdout"), err_path_ = directory.path("stderr");
  UniqueFd out_fd_ = open(out_path_), err_fd_ = open(err_path_);
  static const Clock& system_clock() {
    static const SystemClock clock;
    return clock;
  }

  const Clock& clock_;
  OutputStream out_{out_fd_.get()};
  Messages messages_{err_fd_.get(), MessageStyle{}, clock_};
  std::mutex mutex_;
  std::map<std::string, testing_client::ScriptedServer::Answer> answers_;
};

}  // namespace plz
