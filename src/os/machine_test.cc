#include "os/machine.h"

#include <unistd.h>

#include <gtest/gtest.h>

#include "os/file.h"
#include "os/temporary_directory_test.h"

namespace plz {
namespace {

class MachineTest : public testing::Test {
 protected:
  void write(const std::string& path, std::string_view content) { temporary_.write(path, content); }
  TemporaryDirectory temporary_;
  const std::string root_ = temporary_.path() + "/";
};

TEST_F(MachineTest, TellsThisOne) {
  Machine machine = describe_machine();
  EXPECT_FALSE(machine.host_name.empty());
  EXPECT_FALSE(machine.kernel.empty() || machine.architecture.empty());
  EXPECT_GT(machine.cpus, 0);
  EXPECT_GT(machine.memory_bytes, 64u << 20);
}

TEST_F(MachineTest, ReadsOnlyTheBeginningOfWhatMayBeLong) {
  write("proc/cpuinfo", "processor: 0\nmodel name: Some CPU @ 3 GHz\n" + std::string(1 << 20, 'x'));
  EXPECT_EQ(describe_machine(root_).cpu_model, "Some CPU @ 3 GHz");
  write("proc/cpuinfo", std::string(1 << 20, 'x') + "\nmodel name: far behind\n");
  EXPECT_EQ(describe_machine(root_).cpu_model, "");
}

TEST_F(MachineTest, TellsWhatArithmeticTheProcessorCan) {
  write("proc/cpuinfo",
        "model name\t: X\nflags\t\t: fpu vme sse sse2 fma ibrs avx512f avx2 svm amx_tile f16c\nbugs\t: x\n\nflags\t: "
        "mmx\n");
  EXPECT_EQ(describe_machine(root_).cpu_features,
            (std::vector<std::string>{"amx_tile", "avx2", "avx512f", "f16c", "fma", "sse", "sse2"}));
  write("proc/cpuinfo",
        "processor\t: 0\nFeatures\t: fp asimd evtstrm sve bf16\nCPU implementer\t: 0x41\nCPU variant\t: 0x1\nCPU "
        "part\t: 0xd40\n");
  EXPECT_EQ(describe_machine(root_).cpu_features, (std::vector<std::string>{"asimd", "bf16", "fp", "sve"}));
  EXPECT_EQ(describe_machine(root_).cpu_model, "0x41 0xd40 0x1");
}

TEST_F(MachineTest, LeavesEmptyWhatCannotBeRead) {
  Machine machine = describe_machine("/nowhere/");
  EXPECT_EQ(machine.os_release + machine.cpu_model + machine.gpu_driver, "");
  EXPECT_EQ(machine.memory_bytes, 0u);
  EXPECT_TRUE(machine.gpus.empty());
}

TEST_F(MachineTest, MindsTheLimitsOfItsCgroups) {
  write("proc/meminfo", "MemTotal:       16777216 kB\nMemFree: 1 kB\n");
  write("proc/self/cgroup", "0::/a/b\n");
  write("sys/fs/cgroup/cgroup.controllers", "cpu memory\n");
  write("sys/fs/cgroup/a/cpu.max", "50000 100000\n");
  write("sys/fs/cgroup/a/memory.max", "1073741824\n");
  write("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  write("sys/fs/cgroup/a/b/memory.max", "max\n");
  Machine machine = describe_machine(root_);
  EXPECT_EQ(machine.cpus, 0.5);
  EXPECT_EQ(machine.memory_bytes, 1u << 30);
}

TEST_F(MachineTest, MindsTheLimitsOfOlderCgroups) {
  write("proc/meminfo", "MemTotal: 16777216 kB\n");
  write("proc/self/cgroup", "4:memory:/m\n3:cpu,cpuacct:/c\n0::/\n");
  write("sys/fs/cgroup/memory/m/memory.limit_in_bytes", "2147483648\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  write("sys/fs/cgroup/cpu/c/cpu.cfs_quota_us", "25000\n");
  write("sys/fs/cgroup/cpu/c/cpu.cfs_period_us", "100000\n");
  Machine machine = describe_machine(root_);
  EXPECT_EQ(machine.cpus, 0.25);
  EXPECT_EQ(machine.memory_bytes, 2ull << 30);
}

TEST_F(MachineTest, FindsGpusThatHaveADeviceFile) {
  std::string gpus = "proc/driver/nvidia/gpus/";
  write(gpus + "0000:17:00.0/information", "Model: \t\t NVIDIA H200\nGPU UUID: \t GPU-1\nDevice Minor: \t 3\n");
  write(gpus + "0000:65:00.0/information", "Model: \t\t NVIDIA H200\nGPU UUID: \t GPU-2\nDevice Minor: \t 0\n");
  write(gpus + "0000:ca:00.0/information", "Model: NVIDIA H200\nGPU UUID: GPU-?-?\nDevice Minor: 1\n");
  write("dev/nvidia3", "");
  write("dev/nvidia1", "");
  write("proc/driver/nvidia/version",
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\nGCC version: gcc "
        "12.2.0\n");
  Machine machine = describe_machine(root_);
  EXPECT_EQ(machine.gpus, std::vector<Gpu>({{"GPU-1", "NVIDIA H200"}, {"1", "NVIDIA H200"}}));
  EXPECT_EQ(machine.gpu_driver, "535.104.05");
}

TEST(Machine, ReadsTheKernelsFiles) {
  EXPECT_EQ(os_release_name("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"),
            "Debian GNU/Linux 12 (bookworm)");
  EXPECT_EQ(cpu_model_name("processor\t: 0\nmodel name\t: AMD EPYC 7R13: x\n"), "AMD EPYC 7R13: x");
  EXPECT_EQ(cpu_quota("max 100000\n"), std::nullopt);
  EXPECT_EQ(cpu_quota("rubbish"), std::nullopt);
  EXPECT_EQ(cgroup_path("3:cpu,cpuacct:/c\n0::/u\n", "cpuacct"), "/c");
  EXPECT_EQ(cgroup_path("3:cpu,cpuacct:/c\n0::/u\n", ""), "/u");
  EXPECT_EQ(cgroup_path("3:cpu,cpuacct:/c\n", "memory"), std::nullopt);
}

}  // namespace
}  // namespace plz
