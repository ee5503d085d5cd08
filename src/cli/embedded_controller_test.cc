#include "cli/embedded_controller.h"

#include <algorithm>
#include <csignal>
#include <thread>

#include <fcntl.h>
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/unix_connect.h"
#include "client/api_client.h"
#include "net/socket.h"
#include "os/lock_file.h"
#include "os/process.h"
#include "os/temporary_directory_test.h"

namespace plz {
namespace {

using testing::HasSubstr;
using testing::Not;

class EmbeddedControllerTest : public testing::Test {
 protected:
  EmbeddedControllerTest() { EXPECT_TRUE(make_directories(data_, 0700)); }
  ~EmbeddedControllerTest() override {
    if (unix_socket_accepts(socket_).value_or(false)) {
      EXPECT_TRUE(ApiClient(endpoint()).shut_down("test"));
    }
  }

  EmbeddedControllerSettings settings(const std::string& behaviour, const std::string& own_version = "1.0.0") {
    EmbeddedControllerSettings settings;
    settings.data_directory = data_;
    settings.socket_path = socket_;
    settings.program = PLZ_FAKE_CONTROLLER_PROGRAM;
    settings.version = own_version;
    settings.environment = {{"PLZ_FAKE_CONTROLLER", behaviour}, {"HOME", "/home/ada"}, {"SECRET_OF_A_JOB", "x"}};
    return settings;
  }

  Result<Endpoint> find(EmbeddedControllerSettings settings) {
    return EmbeddedController(std::move(settings), messages_).find();
  }

  Endpoint endpoint() const { return endpoint(socket_); }
  static Endpoint endpoint(const std::string& path) { return {.kind = Endpoint::Kind::unix_socket, .path = path}; }

  std::string starts() const { return read_file_if_exists(data_ + "/starts")->value_or(""); }
  size_t times_started() const {
    const std::string text = starts();
    return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  TemporaryDirectory directory_;
  const std::string data_ = directory_.path("data"), socket_ = directory_.path("socket");
  SystemClock clock_;
  UniqueFd err_ = std::move(*open_file(directory_.path("err"), O_RDWR | O_CREAT, 0600));
  Messages messages_{err_.get(), MessageStyle{}, clock_};
};

TEST_F(EmbeddedControllerTest, IsStartedOnceAndFoundAfterwards) {
  for (int i = 0; i < 3; ++i) {
    auto found = find(settings("version=1.0.0"));
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->path, socket_);
  }
  EXPECT_EQ(times_started(), 1u);
}

TEST_F(EmbeddedControllerTest, OfManyAtOnceOneStartsIt) {
  std::vector<std::thread> shells;
  std::atomic<int> found = 0;
  for (int i = 0; i < 10; ++i) {
    shells.emplace_back([&] {
      Messages messages(err_.get(), MessageStyle{}, clock_);
      if (EmbeddedController(settings("version=1.0.0"), messages).find()) ++found;
    });
  }
  for (auto& shell : shells) shell.join();
  EXPECT_EQ(found, 10);
  EXPECT_EQ(times_started(), 1u);
}

TEST_F(EmbeddedControllerTest, ASocketThatNobodyListensOnIsNoController) {
  { auto stale = listen_at(socket_); }
  ASSERT_TRUE(path_exists(socket_));
  auto found = find(settings("version=1.0.0"));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(times_started(), 1u);
}

TEST_F(EmbeddedControllerTest, IsGivenNothingOfTheShellsJobs) {
  ASSERT_TRUE(find(settings("version=1.0.0")));
  EXPECT_THAT(starts(), HasSubstr(" HOME"));
  EXPECT_THAT(starts(), Not(HasSubstr("SECRET_OF_A_JOB")));
}

TEST_F(EmbeddedControllerTest, AnOlderOneHandsOver) {
  ASSERT_TRUE(find(settings("version=0.9.0", "0.9.0")));
  auto found = find(settings("version=1.0.0"));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(times_started(), 2u);
  EXPECT_EQ(ApiClient(endpoint()).ping(std::chrono::seconds(90))->version, "1.0.0");
}

TEST_F(EmbeddedControllerTest, ANewerOneIsTakenWithAWarning) {
  ASSERT_TRUE(find(settings("version=2.0.0", "2.0.0")));
  ASSERT_TRUE(find(settings("version=1.0.0")));
  EXPECT_EQ(times_started(), 1u);
  EXPECT_THAT(*read_file(directory_.path("err")), HasSubstr("newer (2.0.0)"));
}

TEST_F(EmbeddedControllerTest, IsStartedAgainWhenItHasGone) {
  EmbeddedController controller(settings("version=1.0.0"), messages_);
  ASSERT_TRUE(controller.find());
  auto first = ApiClient(endpoint()).ping(std::chrono::seconds(90));
  ASSERT_TRUE(first);
  auto process = open_process(static_cast<pid_t>(first->pid));
  ASSERT_TRUE(process && *process);
  ASSERT_TRUE(ApiClient(endpoint()).shut_down("test"));
  ASSERT_TRUE(*wait_readable((*process)->get(), -1, std::chrono::seconds(90)));
  ASSERT_TRUE(controller.find());
  EXPECT_EQ(times_started(), 2u);
}

TEST_F(EmbeddedControllerTest, OneThatIsEndingIsWaitedFor) {
  auto held = LockFile::lock(data_ + "/controller.lock");
  ASSERT_TRUE(held);
  std::thread ending([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    held = fail(ErrorCode::internal, "let go");
  });
  auto found = find(settings("version=1.0.0"));
  ending.join();
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(times_started(), 1u);
}

TEST_F(EmbeddedControllerTest, OneThatNeverAnswersIsTold) {
  auto held = LockFile::lock(data_ + "/controller.lock");
  ASSERT_TRUE(held);
  auto impatient = settings("version=1.0.0");
  impatient.patience_with_another = std::chrono::milliseconds(20);
  auto found = find(impatient);
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, HasSubstr("does not answer on " + socket_));
  EXPECT_EQ(times_started(), 0u);
}

TEST_F(EmbeddedControllerTest, ItsOwnWordsSayWhyItCannotStart) {
  auto found = find(settings("refuse"));
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, HasSubstr("could not start: the format is newer"));
}

TEST_F(EmbeddedControllerTest, ADeadOnesLogSaysWhy) {
  auto found = find(settings("die"));
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, HasSubstr("segmentation of all faults"));
  EXPECT_THAT(found.error().hint, HasSubstr("controller.log"));
}

TEST_F(EmbeddedControllerTest, OneThatIsKilledWhileItStartsIsStartedAgain) {
  auto found = find(settings("killed=3"));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(times_started(), 4u);
  EXPECT_THAT(*read_file(directory_.path("err")),
              HasSubstr("was killed (SIGKILL) while it started: starting it again"));
}

TEST_F(EmbeddedControllerTest, OneThatIsKilledAtEveryStartIsToldWithItsLastWords) {
  auto found = find(settings("killed=100"));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::unavailable);
  EXPECT_THAT(found.error().message,
              HasSubstr("killed by SIGKILL while it started, 8 times; what it said last: about"));
  EXPECT_EQ(times_started(), 8u);
}

TEST_F(EmbeddedControllerTest, IsFoundWhereItListensThoughThisShellWouldPutItElsewhere) {
  ASSERT_TRUE(find(settings("version=1.0.0")));
  auto other_shell = settings("version=1.0.0");
  other_shell.socket_path = directory_.path("other-socket");
  auto found = find(other_shell);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->path, socket_);
  auto no_place = settings("version=1.0.0");
  no_place.socket_path = fail(ErrorCode::invalid, "nowhere");
  EXPECT_TRUE(find(no_place));
  EXPECT_EQ(times_started(), 1u);
}

TEST_F(EmbeddedControllerTest, AStaleAddressIsHarmless) {
  // Nobody listens; somebody else does; what is written is no address.
  auto listener = listen_at(directory_.path("anothers"));
  ASSERT_TRUE(listener);
  for (const std::string& text : {"pid 999999999\nsocket " + directory_.path("gone") + "\n",
                                  "pid 999999999\nsocket " + directory_.path("anothers") + "\n",
                                  std::string("pid 1\nsocket "), std::string("\0\xff", 2)}) {
    ASSERT_TRUE(write_file_atomically(data_ + "/controller.address", text, 0600, Sync::no));
    auto found = find(settings("version=1.0.0"));
    ASSERT_TRUE(found) << found.error().message;
    ASSERT_TRUE(ApiClient(endpoint(found->path)).shut_down("test"));
    for (int i = 0; i < 9000 && path_exists(found->path); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(times_started(), 4u);
}

TEST_F(EmbeddedControllerTest, ItIsStartedWhereTheLastOneListened) {
  ASSERT_EQ(mkdir(directory_.path("run").c_str(), 0700), 0);
  const std::string there = directory_.path("run/socket");
  const std::string address = "pid 999999999\nsocket " + there + "\n";
  ASSERT_TRUE(write_file_atomically(data_ + "/controller.address", address, 0600, Sync::no));
  auto found = find(settings("version=1.0.0"));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->path, there);
  EXPECT_TRUE(ApiClient(endpoint(there)).shut_down("test"));
}

TEST_F(EmbeddedControllerTest, OneThatIsStoppedIsWaitedForAsLongAsWasAsked) {
  auto listener = listen_at(socket_);
  ASSERT_TRUE(listener);
  auto impatient = settings("version=1.0.0");
  impatient.ping_timeout = std::chrono::milliseconds(20);
  auto found = find(impatient);
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, HasSubstr("asking the controller for its version"));
  EXPECT_THAT(found.error().hint, HasSubstr("its jobs go on"));
  listener->reset();
  unlink(socket_.c_str());
}

TEST_F(EmbeddedControllerTest, IsEndedAndStartedAgainWhenAsked) {
  EmbeddedController controller(settings("version=1.0.0"), messages_);
  EXPECT_EQ(controller.running().value().has_value(), false);
  EXPECT_EQ(controller.end().value(), std::nullopt);
  EXPECT_EQ(times_started(), 0u);
  EXPECT_EQ(controller.restart().value(), std::nullopt);
  EXPECT_EQ(times_started(), 1u);
  const auto first = ApiClient(endpoint()).ping(std::chrono::seconds(90));
  ASSERT_TRUE(first);
  EXPECT_EQ(controller.restart().value(), first->pid);
  const auto second = ApiClient(endpoint()).ping(std::chrono::seconds(90));
  ASSERT_TRUE(second);
  EXPECT_NE(second->pid, first->pid);
  EXPECT_EQ(controller.running().value()->path, socket_);
  EXPECT_EQ(controller.end().value(), second->pid);
  EXPECT_FALSE(path_exists(socket_));
  EXPECT_EQ(times_started(), 2u);
}

// It listens and never answers: a signal ends it.
TEST_F(EmbeddedControllerTest, OneThatDoesNotAnswerIsToldByASignal) {
  const pid_t deaf = fork();
  if (deaf == 0) {
    auto listener = listen_at(socket_);
    for (;;) pause();
  }
  const std::string address = fmt::format("pid {}\nsocket {}\n", deaf, socket_);
  ASSERT_TRUE(write_file_atomically(data_ + "/controller.address", address, 0600, Sync::no));
  while (!unix_socket_accepts(socket_).value_or(false)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  auto impatient = settings("version=1.0.0");
  impatient.ping_timeout = std::chrono::milliseconds(20);
  EmbeddedController controller(impatient, messages_);
  const auto ended = controller.end();
  ASSERT_TRUE(ended) << ended.error().message;
  EXPECT_EQ(*ended, deaf);
  int how = 0;
  EXPECT_EQ(waitpid(deaf, &how, 0), deaf);
  EXPECT_TRUE(WIFSIGNALED(how) && WTERMSIG(how) == SIGTERM);
}

TEST_F(EmbeddedControllerTest, AMissingProgramIsToldWithARemedy) {
  auto nowhere = settings("version=1.0.0");
  nowhere.program = "";
  auto found = find(nowhere);
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, HasSubstr("not installed"));
}

}  // namespace
}  // namespace plz
