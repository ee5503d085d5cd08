#include "os/machine.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <climits>
#include <cstdlib>

#include "base/text.h"
#include "os/file.h"

namespace plz {
namespace {

std::string content_of(const std::string& path) { return read_file(path).value_or(""); }

// The kernel writes /proc/cpuinfo as it is read, and on a machine of 200 processors the whole takes
// longer than all else here.
std::string beginning_of(const std::string& path) {
  auto file = open_file(path, O_RDONLY);
  if (!file) return "";
  std::string text(8192, '\0');
  text.resize(read_up_to(file->get(), text.data(), text.size()).value_or(0));
  return text;
}

template <typename Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  text = trim(text);
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The value in a line "key<separator>value"; "" when there is none.
std::string value_of(std::string_view file, std::string_view key, char separator) {
  for (auto line : split(file, '\n')) {
    size_t at = line.find(separator);
    if (at != line.npos && trim(line.substr(0, at)) == key) return std::string(trim(line.substr(at + 1)));
  }
  return "";
}

double usable_cpus() {
  cpu_set_t set;
  // The set is too small on machines of more than 1024 CPUs.
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<double>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
}

// Of the kernel's names, x86's and ARM's. What else a processor can (virtualization, mitigations) changes no result.
bool decides_arithmetic(std::string_view feature) {
  constexpr std::string_view kNames[] = {"fma", "fma4", "f16c", "xop", "3dnow", "neon", "fp", "fphp", "bf16", "fcma"};
  constexpr std::string_view kFamilies[] = {"sse", "ssse", "avx", "amx", "asimd", "sve", "sme", "i8mm", "vfp"};
  auto begins = [&](std::string_view family) { return feature.starts_with(family); };
  return std::find(std::begin(kNames), std::end(kNames), feature) != std::end(kNames) ||
         std::any_of(std::begin(kFamilies), std::end(kFamilies), begins);
}

// Limits hold for all below them: from the own cgroup up to the root.
template <typename Visit>
void for_each_level(const std::string& mount, std::string path, Visit visit) {
  for (;;) {
    visit(mount + path);
    if (path.empty() || path == "/") return;
    path = parent_path(path);
    if (path == "/") path.clear();
  }
}

// Where the hierarchy of a controller is mounted: v2 in one place, v1 by its name.
std::string cgroup_mount(const std::string& root, std::string_view controller) {
  std::string base = root + "sys/fs/cgroup";
  if (!controller.empty()) return base + "/" + std::string(controller);
  return path_exists(base + "/cgroup.controllers") ? base : base + "/unified";
}

void apply_cgroup_v2(Machine& machine, const std::string& root, const std::string& path) {
  for_each_level(cgroup_mount(root, ""), path, [&](const std::string& directory) {
    if (auto quota = cpu_quota(content_of(directory + "/cpu.max"))) machine.cpus = std::min(machine.cpus, *quota);
    if (auto limit = number<uint64_t>(content_of(directory + "/memory.max")))
      machine.memory_bytes = std::min(machine.memory_bytes, *limit);
  });
}

void apply_cgroup_v1_cpu(Machine& machine, const std::string& root, const std::string& path) {
  for_each_level(cgroup_mount(root, "cpu"), path, [&](const std::string& directory) {
    auto quota = number<int64_t>(content_of(directory + "/cpu.cfs_quota_us"));
    auto period = number<int64_t>(content_of(directory + "/cpu.cfs_period_us"));
    if (quota && period && *quota > 0 && *period > 0)
      machine.cpus = std::min(machine.cpus, static_cast<double>(*quota) / static_cast<double>(*period));
  });
}

void apply_cgroup_v1_memory(Machine& machine, const std::string& root, const std::string& path) {
  for_each_level(cgroup_mount(root, "memory"), path, [&](const std::string& directory) {
    if (auto limit = number<uint64_t>(content_of(directory + "/memory.limit_in_bytes")))
      machine.memory_bytes = std::min(machine.memory_bytes, *limit);
  });
}

void apply_cgroup_limits(Machine& machine, const std::string& root) {
  std::string own = content_of(root + "proc/self/cgroup");
  if (auto path = cgroup_path(own, "")) apply_cgroup_v2(machine, root, *path);
  if (auto path = cgroup_path(own, "cpu")) apply_cgroup_v1_cpu(machine, root, *path);
  if (auto path = cgroup_path(own, "memory")) apply_cgroup_v1_memory(machine, root, *path);
}

// Numbers depend on CUDA_DEVICE_ORDER, UUIDs on nothing. Devices that were not handed to this container have an entry
// in /proc and no file in /dev.
std::vector<Gpu> find_gpus(const std::string& root) {
  std::vector<Gpu> gpus;
  std::string directory = root + "proc/driver/nvidia/gpus";
  for (const auto& bus : list_directory(directory).value_or(std::vector<std::string>())) {
    std::string information = content_of(directory + "/" + bus + "/information");
    std::string minor = value_of(information, "Device Minor", ':');
    if (minor.empty() || !path_exists(root + "dev/nvidia" + minor)) continue;
    std::string number = std::to_string(gpus.size());
    std::string uuid = value_of(information, "GPU UUID", ':');
    // A driver that has not been used yet says GPU-????????-….
    bool has_uuid = uuid.starts_with("GPU-") && uuid.find('?') == uuid.npos;
    gpus.push_back({has_uuid ? uuid : number, value_of(information, "Model", ':')});
  }
  return gpus;
}

// "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat …": the first word with a digit
// in front and a dot in it.
std::string driver_version(const std::string& version_file) {
  std::string version = value_of(version_file, "NVRM version", ':');
  for (auto word : split(version, ' '))
    if (!word.empty() && word[0] >= '0' && word[0] <= '9' && word.find('.') != word.npos) return std::string(word);
  return "";
}

}  // namespace

std::string os_release_name(std::string_view os_release_file) {
  std::string name = value_of(os_release_file, "PRETTY_NAME", '=');
  if (name.size() >= 2 && (name.front() == '"' || name.front() == '\'') && name.back() == name.front())
    name = name.substr(1, name.size() - 2);
  return name;
}

std::string cpu_model_name(std::string_view cpuinfo_file) {
  std::string name = value_of(cpuinfo_file, "model name", ':');
  const std::string part = value_of(cpuinfo_file, "CPU part", ':');
  if (!name.empty() || part.empty()) return name;
  // ARM has numbers for names: those of the maker and of the design.
  return value_of(cpuinfo_file, "CPU implementer", ':') + " " + part + " " + value_of(cpuinfo_file, "CPU variant", ':');
}

std::vector<std::string> cpu_feature_names(std::string_view cpuinfo_file) {
  std::string all = value_of(cpuinfo_file, "flags", ':');
  if (all.empty()) all = value_of(cpuinfo_file, "Features", ':');
  std::vector<std::string> names;
  for (auto name : split(all, ' '))
    if (decides_arithmetic(name)) names.emplace_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<uint64_t> memory_total_bytes(std::string_view meminfo_file) {
  std::string value = value_of(meminfo_file, "MemTotal", ':');
  auto kib = number<uint64_t>(value.substr(0, value.find(' ')));
  return kib ? std::optional(*kib * 1024) : std::nullopt;
}

std::optional<double> cpu_quota(std::string_view cpu_max_file) {
  auto words = split(trim(cpu_max_file), ' ');
  if (words.size() != 2) return std::nullopt;
  auto quota = number<double>(words[0]), period = number<double>(words[1]);
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return *quota / *period;
}

std::optional<std::string> cgroup_path(std::string_view proc_self_cgroup, std::string_view controller) {
  for (auto line : split(proc_self_cgroup, '\n')) {
    size_t first = line.find(':');
    size_t second = first == line.npos ? first : line.find(':', first + 1);
    if (second == line.npos) continue;
    for (auto name : split(line.substr(first + 1, second - first - 1), ','))
      if (name == controller) return std::string(line.substr(second + 1));
  }
  return std::nullopt;
}

Machine describe_machine(const std::string& root) {
  Machine machine;
  utsname names;
  if (uname(&names) == 0) {
    machine.host_name = names.nodename;
    machine.kernel = names.release;
    machine.architecture = names.machine;
  }
  std::string os_release = content_of(root + "etc/os-release");
  machine.os_release = os_release_name(os_release.empty() ? content_of(root + "usr/lib/os-release") : os_release);
  const std::string cpuinfo = beginning_of(root + "proc/cpuinfo");
  machine.cpu_model = cpu_model_name(cpuinfo);
  machine.cpu_features = cpu_feature_names(cpuinfo);
  machine.cpus = usable_cpus();
  machine.memory_bytes = memory_total_bytes(content_of(root + "proc/meminfo")).value_or(0);
  apply_cgroup_limits(machine, root);
  machine.gpus = find_gpus(root);
  if (!machine.gpus.empty()) machine.gpu_driver = driver_version(content_of(root + "proc/driver/nvidia/version"));
  return machine;
}

}  // namespace plz
