#include "cli/ssh_forward.h"

#include <charconv>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "base/text.h"
#include "cli/unix_connect.h"
#include "os/temporary_directory_test.h"

namespace plz {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// An imposter of ssh, in Python: notes its arguments, and listens where -L says.
constexpr const char* kForwards = R"(#!/usr/bin/env python3
import os, socket, sys
here = os.path.dirname(sys.argv[0])
open(here + "/arguments", "w").write(" ".join(sys.argv[1:]))
open(here + "/pid", "w").write(str(os.getpid()))
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[sys.argv.index("-L") + 1].split(":")[0])
listener.listen()
while True:
    listener.accept()
)";

class SshForwardTest : public testing::Test {
 protected:
  SshForwardSettings settings(const std::string& script) {
    SshForwardSettings settings;
    settings.program = directory_.write("ssh", script, 0755);
    settings.host = "gpu.example.com";
    settings.port = 8080;
    settings.socket_path = directory_.path("forward");
    settings.timeout = std::chrono::seconds(90);
    return settings;
  }

  TemporaryDirectory directory_;
};

TEST_F(SshForwardTest, ReachesTheOtherEndAndEndsWithItself) {
  pid_t pid = 0;
  {
    auto wanted = settings(kForwards);
    wanted.username = "ada";
    wanted.private_key_path = "/keys/id";
    SshForward forward(wanted);
    auto endpoint = forward.find();
    ASSERT_TRUE(endpoint) << endpoint.error().message;
    EXPECT_EQ(endpoint->path, directory_.path("forward"));
    EXPECT_TRUE(*unix_socket_accepts(endpoint->path));
    EXPECT_TRUE(forward.find()) << "it is still there";
    const std::string text = *read_file(directory_.path("pid"));
    std::from_chars(text.data(), text.data() + text.size(), pid);
    EXPECT_EQ(kill(pid, 0), 0);
  }
  EXPECT_EQ(kill(pid, 0), -1);
  EXPECT_FALSE(path_exists(directory_.path("forward")));
  EXPECT_THAT(*read_file(directory_.path("arguments")),
              AllOf(HasSubstr("-N"), HasSubstr("-i /keys/id"), HasSubstr("-l ada"),
                    HasSubstr("-L " + directory_.path("forward") + ":localhost:8080 -- gpu.example.com")));
}

TEST_F(SshForwardTest, SaysThatSshFailed) {
  SshForward forward(settings("#!/bin/sh\nexit 255\n"));
  auto endpoint = forward.find();
  ASSERT_FALSE(endpoint);
  EXPECT_EQ(endpoint.error().code, ErrorCode::unavailable);
  EXPECT_THAT(endpoint.error().message, HasSubstr("gpu.example.com"));
}

TEST_F(SshForwardTest, DoesNotWaitForEver) {
  auto slow = settings("#!/bin/sh\nexec sleep 60\n");
  slow.timeout = std::chrono::milliseconds(50);
  SshForward forward(slow);
  auto endpoint = forward.find();
  ASSERT_FALSE(endpoint);
  EXPECT_EQ(endpoint.error().code, ErrorCode::timeout);
}

}  // namespace
}  // namespace plz
