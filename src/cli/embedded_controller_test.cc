#include "cli/embedded_controller.h"

#include <algorithm>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
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

  Endpoint endpoint() const { return {.kind = Endpoint::Kind::unix_socket, .path = socket_}; }

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

TEST_F(EmbeddedControllerTest, AMissingProgramIsToldWithARemedy) {
  auto nowhere = settings("version=1.0.0");
  nowhere.program = "";
  auto found = find(nowhere);
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, HasSubstr("not installed"));
}

}  // namespace
}  // namespace plz
