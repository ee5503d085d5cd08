#include "os/beneath.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <cstddef>
#include <functional>
#include <iterator>
#include <string>
#include <thread>

#include "os/file.h"
#include "os/temporary_directory_test.h"

namespace plz {
namespace {

// What the kernel answers to openat2(2): 0 means that it does what is asked.
class Beneath : public testing::TestWithParam<int> {
 protected:
  Beneath() {
    EXPECT_TRUE(make_directories(path("root/a/b")));
    EXPECT_TRUE(make_directories(path("outside")));
    write("root/a/b/file", "inside");
    write("outside/file", "secret");
    EXPECT_EQ(symlink(path("outside").c_str(), path("root/absolute").c_str()), 0);
    EXPECT_EQ(symlink("../../outside", path("root/a/relative").c_str()), 0);
    EXPECT_EQ(symlink("b", path("root/a/inner").c_str()), 0);
    EXPECT_EQ(symlink("b/file", path("root/a/file").c_str()), 0);
    root_ = UniqueFd(open(path("root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }

  // A filter cannot be taken off again: each body has a thread of its own.
  void in_a_thread(const std::function<void()>& body) {
    std::thread([&] {
      if (GetParam() != 0) {
        forbid(SYS_openat2, GetParam());
        ASSERT_EQ(syscall(SYS_openat2, -1, "", nullptr, 0), -1);
        ASSERT_EQ(errno, GetParam());
      }
      body();
    }).join();
  }

  std::string path(const std::string& name) const { return directory_.path() + "/" + name; }
  void write(const std::string& name, std::string_view text) {
    EXPECT_TRUE(write_file_atomically(path(name), text, 0600, Sync::no));
  }
  UniqueFd read(std::string_view name) const { return open_beneath(root_.get(), name, O_RDONLY | O_NONBLOCK); }
  static std::string content(const UniqueFd& fd) {
    char text[64];
    auto size = read_up_to(fd.get(), text, sizeof text);
    return size ? std::string(text, *size) : "cannot be read";
  }
  // The errno with which both refuse it; 0: one does not.
  int refused(std::string_view name) const {
    if (read(name)) return 0;
    return errno;
  }

  TemporaryDirectory directory_;
  UniqueFd root_;

 private:
  static void forbid(long number, int error) {
    sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(number), 0, 1),
                          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
                          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    sock_fprog program{static_cast<unsigned short>(std::size(code)), code};
    ASSERT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ASSERT_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
  }
};

INSTANTIATE_TEST_SUITE_P(Os, Beneath, testing::Values(0, ENOSYS, EPERM), [](const auto& parameter) {
  return parameter.param == 0 ? "openat2" : parameter.param == ENOSYS ? "older_kernel" : "forbidden";
});

TEST_P(Beneath, OpensFilesAndDirectories) {
  in_a_thread([&] {
    EXPECT_EQ(content(read("a/b/file")), "inside");
    EXPECT_EQ(content(read("a//b/file")), "inside");
    EXPECT_TRUE(open_directory_beneath(root_.get(), "a/b"));
    EXPECT_TRUE(open_directory_beneath(root_.get(), "a/b/"));
    EXPECT_TRUE(open_directory_beneath(root_.get(), ""));
    EXPECT_FALSE(open_directory_beneath(root_.get(), "a/b/file"));
    EXPECT_EQ(errno, ENOTDIR);
    EXPECT_EQ(refused("a/none"), ENOENT);
    EXPECT_EQ(refused("none/file"), ENOENT);
  });
}

TEST_P(Beneath, FollowsNoLinkWhereverItIs) {
  in_a_thread([&] {
    EXPECT_EQ(refused("a/file"), ELOOP);
    for (auto name : {"absolute/file", "a/relative/file", "a/inner/file"}) {
      int error = refused(name);
      EXPECT_TRUE(error == ELOOP || error == ENOTDIR) << name << ": " << error;
    }
    EXPECT_FALSE(open_directory_beneath(root_.get(), "absolute"));
    EXPECT_FALSE(open_directory_beneath(root_.get(), "a/inner"));
  });
}

TEST_P(Beneath, LeavesTheRootInNoOtherWay) {
  in_a_thread([&] {
    EXPECT_EQ(refused(".."), EXDEV);
    EXPECT_EQ(refused("a/../../outside/file"), EXDEV);
    EXPECT_EQ(refused("a/../a/b/file"), EXDEV);
    EXPECT_EQ(refused(path("outside/file")), EXDEV);
    EXPECT_EQ(refused("/etc/passwd"), EXDEV);
  });
}

TEST_P(Beneath, MakesFilesOnlyWhereNothingIs) {
  in_a_thread([&] {
    const int flags = O_WRONLY | O_CREAT | O_EXCL;
    UniqueFd made = open_beneath(root_.get(), "a/new", flags, 0600);
    ASSERT_TRUE(made);
    struct stat status;
    ASSERT_EQ(fstat(made.get(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0600u);
    EXPECT_FALSE(open_beneath(root_.get(), "a/file", flags, 0600));
    EXPECT_FALSE(open_beneath(root_.get(), "a/relative/new", flags, 0600));
    EXPECT_FALSE(path_exists(path("outside/new")));
    ASSERT_EQ(unlink(path("root/a/new").c_str()), 0);
  });
}

TEST_P(Beneath, PathsAreOfAnyLength) {
  constexpr int kLevels = 60;
  const std::string name(200, 'n');
  UniqueFd at(open(path("root").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::string deep;
  for (int i = 0; i < kLevels; ++i) {
    ASSERT_EQ(mkdirat(at.get(), name.c_str(), 0700), 0);
    at = UniqueFd(openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    deep += name + "/";
  }
  ASSERT_EQ(symlinkat(path("outside").c_str(), at.get(), "link"), 0);
  ASSERT_GT(deep.size(), static_cast<size_t>(2 * PATH_MAX));
  in_a_thread([&] {
    EXPECT_TRUE(open_directory_beneath(root_.get(), deep));
    EXPECT_FALSE(open_directory_beneath(root_.get(), deep + "link"));
    EXPECT_FALSE(read(deep + "link/file"));
    EXPECT_EQ(refused(deep + "none"), ENOENT);
  });
}

TEST_P(Beneath, ADescriptorHasAPath) {
  in_a_thread([&] {
    UniqueFd fd = read("a/b/file");
    EXPECT_EQ(*read_file(path_of_descriptor(fd.get())), "inside");
  });
}

}  // namespace
}  // namespace plz
