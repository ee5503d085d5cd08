#include "os/own_process.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <functional>

#include <gtest/gtest.h>

#include "os/fd.h"

namespace plz {
namespace {

// What it changes stays there. True: the test holds.
bool holds_in_a_process_of_its_own(const std::function<bool()>& test) {
  const pid_t pid = fork();
  if (pid == 0) _exit(test() ? 0 : 1);
  int status = -1;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

ResourceLimit limit_of(const ProcessAttributes& attributes, const std::string& name) {
  auto found = std::find_if(attributes.limits.begin(), attributes.limits.end(),
                            [&](const auto& limit) { return limit.first == name; });
  return found == attributes.limits.end() ? ResourceLimit{0, 0} : found->second;
}

TEST(OwnProcess, ListsProcessors) {
  EXPECT_EQ(processor_list({}), "");
  EXPECT_EQ(processor_list({5}), "5");
  EXPECT_EQ(processor_list({0, 1, 2, 3, 8, 10, 11}), "0-3,8,10-11");
}

TEST(OwnProcess, TellsWhatItHas) {
  EXPECT_TRUE(holds_in_a_process_of_its_own([] {
    rlimit files{100, 200};
    setrlimit(RLIMIT_NOFILE, &files);
    nice(3);
    umask(027);
    const ProcessAttributes own = own_process_attributes();
    return own.limits.size() == 16 && limit_of(own, "nofile") == ResourceLimit{100, 200} && own.niceness >= 3 &&
           own.umask == 027u && own.scheduling == "other" && !own.affinity.empty() && own.oom_score &&
           own.personality == 0u;
  }));
}

TEST(OwnProcess, StartsAfreshAsFarAsItMay) {
  const std::string every_processor = own_process_attributes().affinity;
  EXPECT_TRUE(holds_in_a_process_of_its_own([&] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(std::stoi(every_processor), &one);
    sched_setaffinity(0, sizeof one, &one);
    rlimit files{64, 300}, cpu{1000, RLIM_INFINITY};
    setrlimit(RLIMIT_NOFILE, &files);
    setrlimit(RLIMIT_CPU, &cpu);
    umask(077);
    start_afresh();
    const ProcessAttributes now = own_process_attributes();
    return now.affinity == every_processor && limit_of(now, "nofile") == ResourceLimit{300, 300} &&
           limit_of(now, "cpu") == ResourceLimit{} && now.umask == 022u;
  }));
}

TEST(OwnProcess, RaisesItsLimitOnDescriptors) {
  EXPECT_TRUE(holds_in_a_process_of_its_own([] {
    rlimit files{64, 300};
    setrlimit(RLIMIT_NOFILE, &files);
    const DescriptorLimits limits = raise_descriptor_limit();
    return limits.before == 64 && limits.now == 300 &&
           limit_of(own_process_attributes(), "nofile") == ResourceLimit{300, 300};
  }));
}

bool closes_all_but_one() {
  for (int target : {20, 21, 1000}) dup2(STDERR_FILENO, target);
  close_inherited_descriptors({-1, 20, STDOUT_FILENO});
  auto is_open = [](int fd) { return fcntl(fd, F_GETFD) >= 0; };
  return is_open(STDERR_FILENO) && is_open(20) && !is_open(21) && !is_open(1000);
}

// As Linux before 5.9 is.
bool forbid_close_range() {
  sock_filter filter[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
                          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
                          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  sock_fprog program{4, filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0 && syscall(SYS_close_range, 900, 901, 0) != 0;
}

TEST(OwnProcess, ClosesWhatItInherited) { EXPECT_TRUE(holds_in_a_process_of_its_own(closes_all_but_one)); }

TEST(OwnProcess, ClosesOneByOneOnOlderKernels) {
  EXPECT_TRUE(holds_in_a_process_of_its_own([] { return forbid_close_range() && closes_all_but_one(); }));
}

}  // namespace
}  // namespace plz
