#include "cli/machine_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/temporary_directory_test.h"

namespace plz {
namespace {

using testing::ElementsAre;

TEST(MachineFacts, AreReadFromTheKernelsFiles) {
  TemporaryDirectory root;
  root.write("etc/os-release", "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
  root.write("proc/cpuinfo", "processor\t: 0\nmodel\t\t: 85\nmodel name\t: Some CPU @ 3 GHz\n\nprocessor\t: 1\n");
  root.write("proc/meminfo", "MemTotal:        2048 kB\nMemFree: 1 kB\n");
  root.write("proc/driver/nvidia/gpus/0000:01:00.0/information", "Model: \t\t NVIDIA H200\nIRQ: 1\n");
  root.write("proc/driver/nvidia/gpus/0000:02:00.0/information", "Model: \t\t NVIDIA T4\n");
  root.write("sys/module/nvidia/version", "550.54.15\n");
  MachineFacts facts = machine_facts(root.path());
  EXPECT_EQ(facts.os, "Debian GNU/Linux 12 (bookworm)");
  EXPECT_EQ(facts.cpu_model, "Some CPU @ 3 GHz");
  EXPECT_EQ(facts.memory_bytes, 2048u * 1024);
  EXPECT_THAT(facts.gpus, ElementsAre("NVIDIA H200", "NVIDIA T4"));
  EXPECT_EQ(facts.gpu_driver, "550.54.15");
  EXPECT_FALSE(facts.kernel.empty() || facts.host_name.empty() || facts.architecture.empty());
  EXPECT_GT(facts.cpus, 0);
}

TEST(MachineFacts, AreLeftEmptyWhereThereIsNothingToRead) {
  MachineFacts facts = machine_facts("/nowhere");
  EXPECT_EQ(facts.os + facts.cpu_model + facts.gpu_driver, "");
  EXPECT_EQ(facts.memory_bytes, 0u);
  EXPECT_TRUE(facts.gpus.empty());
}

}  // namespace
}  // namespace plz
