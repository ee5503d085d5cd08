#include "cli/machine_facts.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/utsname.h>

#include <charconv>

#include "base/text.h"
#include "os/file.h"

namespace plz {
namespace {

// The first bytes of a file, or nothing. For /proc/cpuinfo this matters: the kernel writes it as it is
// read, and on a machine of 200 processors the whole takes longer than the rest of plz.
std::string beginning_of(const std::string& path) {
  auto file = open_file(path, O_RDONLY);
  if (!file) return {};
  std::string text(4096, '\0');
  auto size = read_up_to(file->get(), text.data(), text.size());
  text.resize(size.value_or(0));
  return text;
}

// The value behind `name` on the first line that begins with it: "model name : X", "NAME=X", "Model: X".
std::string value_of(std::string_view text, std::string_view name, char separator) {
  for (auto line : split(text, '\n')) {
    size_t at = line.find(separator);
    if (at == line.npos || trim(line.substr(0, at)) != name) continue;
    auto value = trim(line.substr(at + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    return printable(value);
  }
  return {};
}

uint64_t memory_of(std::string_view meminfo) {
  std::string text = value_of(meminfo, "MemTotal", ':');
  uint64_t kibibytes = 0;
  std::from_chars(text.data(), text.data() + text.size(), kibibytes);
  return kibibytes * 1024;
}

int usable_cpus() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}

std::vector<std::string> gpu_models(const std::string& directory) {
  std::vector<std::string> models;
  auto names = list_directory(directory);
  if (!names) return models;
  for (const auto& name : *names)
    models.push_back(value_of(beginning_of(directory + "/" + name + "/information"), "Model", ':'));
  return models;
}

}  // namespace

MachineFacts machine_facts(const std::string& root) {
  MachineFacts facts;
  utsname kernel{};
  if (uname(&kernel) == 0) {
    facts.host_name = printable(kernel.nodename);
    facts.kernel = printable(kernel.release);
    facts.architecture = printable(kernel.machine);
  }
  facts.os = value_of(beginning_of(root + "/etc/os-release"), "PRETTY_NAME", '=');
  facts.cpu_model = value_of(beginning_of(root + "/proc/cpuinfo"), "model name", ':');
  facts.cpus = usable_cpus();
  facts.memory_bytes = memory_of(beginning_of(root + "/proc/meminfo"));
  facts.gpus = gpu_models(root + "/proc/driver/nvidia/gpus");
  facts.gpu_driver = printable(trim(beginning_of(root + "/sys/module/nvidia/version")));
  return facts;
}

}  // namespace plz
