// What machine this is, as far as the kernel tells without running any program.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plz {

struct Gpu {
  std::string id;     // as CUDA_VISIBLE_DEVICES takes it: "GPU-" and its UUID, or else its number
  std::string model;  // "NVIDIA H100 80GB HBM3"
  bool operator==(const Gpu&) const = default;
};

struct Machine {
  std::string host_name;
  std::string kernel;                     // "6.1.0-18-amd64"
  std::string architecture;               // "x86_64"
  std::string os_release;                 // "Debian GNU/Linux 12 (bookworm)"
  std::string cpu_model;                  // "" where the kernel does not say
  std::vector<std::string> cpu_features;  // vector and matrix instructions that libraries choose code by, sorted
  double cpus = 1;                        // that this process may use: by its affinity and its cgroups' quotas
  uint64_t memory_bytes = 0;              // likewise, by its cgroups' limits
  std::vector<Gpu> gpus;                  // NVIDIA's, those of which a device file is there
  std::string gpu_driver;                 // version; "" without GPUs
};

// Some files of /proc and /sys are read: well under a millisecond. What cannot be told keeps its
// default. `root` is "/" but in tests.
Machine describe_machine(const std::string& root = "/");

// Parts of it, for tests.
std::string os_release_name(std::string_view os_release_file);
std::string cpu_model_name(std::string_view cpuinfo_file);
std::vector<std::string> cpu_feature_names(std::string_view cpuinfo_file);
std::optional<uint64_t> memory_total_bytes(std::string_view meminfo_file);
// cpu.max of cgroup v2: "200000 100000" is 2; "max 100000" is nullopt.
std::optional<double> cpu_quota(std::string_view cpu_max_file);
// The path in a line of /proc/self/cgroup for this controller ("" is cgroup v2's); nullopt: not there.
std::optional<std::string> cgroup_path(std::string_view proc_self_cgroup, std::string_view controller);

}  // namespace plz
