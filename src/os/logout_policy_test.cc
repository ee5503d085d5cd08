#include "os/logout_policy.h"

#include <gtest/gtest.h>

#include "os/file.h"
#include "os/temporary_directory_test.h"

namespace plz {
namespace {

class LogoutPolicyTest : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& content) { temporary_.write(name, content); }
  TemporaryDirectory temporary_;
  const std::string root_ = temporary_.path();
};

TEST_F(LogoutPolicyTest, ProcessesLiveOnByDefault) {
  EXPECT_FALSE(logout_ends_processes("ada", root_));
  write("etc/systemd/logind.conf", "[Login]\n#KillUserProcesses=yes\n");
  EXPECT_FALSE(logout_ends_processes("ada", root_));
}

TEST_F(LogoutPolicyTest, TheLastDropInDecides) {
  write("etc/systemd/logind.conf", "[Login]\nKillUserProcesses=no\n");
  write("usr/lib/systemd/logind.conf.d/50-kill.conf", "[Login]\nKillUserProcesses = yes\n");
  EXPECT_TRUE(logout_ends_processes("ada", root_));
  write("etc/systemd/logind.conf.d/60-keep.conf", "[Login]\nKillUserProcesses=no\n");
  EXPECT_FALSE(logout_ends_processes("ada", root_));
}

TEST_F(LogoutPolicyTest, OnlyUsersAreNamedWhateverHoldsForTheOthers) {
  write("etc/systemd/logind.conf", "[Login]\nKillUserProcesses=no\nKillOnlyUsers=ada\nKillOnlyUsers=bob root\n");
  EXPECT_TRUE(logout_ends_processes("ada", root_));
  EXPECT_TRUE(logout_ends_processes("bob", root_));
  EXPECT_FALSE(logout_ends_processes("eve", root_));
  EXPECT_FALSE(logout_ends_processes("root", root_));  // excluded where nobody is named
  write("etc/systemd/logind.conf.d/others.conf", "[Login]\nKillUserProcesses=yes\nKillExcludeUsers=bob\n");
  EXPECT_FALSE(logout_ends_processes("bob", root_));
  EXPECT_FALSE(logout_ends_processes("eve", root_));
  EXPECT_TRUE(logout_ends_processes("root", root_));
  write("etc/systemd/logind.conf.d/put-back.conf", "[Login]\nKillOnlyUsers=\n");
  EXPECT_TRUE(logout_ends_processes("eve", root_));
}

TEST_F(LogoutPolicyTest, ExcludedAndLingeringUsersAreSpared) {
  write("etc/systemd/logind.conf", "[Login]\nKillUserProcesses=yes\nKillExcludeUsers=root ada\n");
  EXPECT_FALSE(logout_ends_processes("ada", root_));
  EXPECT_TRUE(logout_ends_processes("bob", root_));
  write("var/lib/systemd/linger/bob", "");
  EXPECT_FALSE(logout_ends_processes("bob", root_));
}

}  // namespace
}  // namespace plz
