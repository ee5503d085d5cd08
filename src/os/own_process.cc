#include "os/own_process.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include <fmt/core.h>

#include "base/text.h"
#include "os/file.h"

namespace plz {
namespace {

constexpr struct {
  const char* name;
  int resource;
} kLimits[] = {{"cpu", RLIMIT_CPU},           {"fsize", RLIMIT_FSIZE},
               {"data", RLIMIT_DATA},         {"stack", RLIMIT_STACK},
               {"core", RLIMIT_CORE},         {"rss", RLIMIT_RSS},
               {"nproc", RLIMIT_NPROC},       {"nofile", RLIMIT_NOFILE},
               {"memlock", RLIMIT_MEMLOCK},   {"as", RLIMIT_AS},
               {"locks", RLIMIT_LOCKS},       {"sigpending", RLIMIT_SIGPENDING},
               {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
               {"rtprio", RLIMIT_RTPRIO},     {"rttime", RLIMIT_RTTIME}};

// Enough for any kernel; the set of the C library ends at 1024.
constexpr int kMostProcessors = 1 << 16;
constexpr int kBitsInAWord = 8 * sizeof(unsigned long);

// linux/ioprio.h, which older kernels' headers lack.
constexpr int kIoPriorityOfProcess = 1;
constexpr int kIoClassShift = 13;
constexpr int kIoClassBestEffort = 2;
constexpr int kIoLevels = 8;

// A thread's stack is as large as this limit, and what a person has set it to is no business of a service.
constexpr rlim_t kUsualStack = 8u << 20;
// Stacks of threads and files that are mapped count, whether they are touched or not.
constexpr rlim_t kLeastAddressSpace = 256u << 20;
// Some kernels give a billion, and there are programs that go through them all.
constexpr rlim_t kEnoughFiles = 1u << 16;

std::vector<int> usable_processors() {
  std::vector<unsigned long> words(kMostProcessors / kBitsInAWord);
  std::vector<int> processors;
  const long bytes = syscall(SYS_sched_getaffinity, 0, words.size() * sizeof(unsigned long), words.data());
  for (int cpu = 0; cpu < bytes * 8; ++cpu)
    if (words[static_cast<size_t>(cpu / kBitsInAWord)] >> (cpu % kBitsInAWord) & 1) processors.push_back(cpu);
  return processors;
}

std::string scheduling() {
  switch (sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) {
    case SCHED_OTHER: return "other";
    case SCHED_BATCH: return "batch";
    case SCHED_IDLE: return "idle";
    default: return "";  // real time: not for ordinary processes
  }
}

// Some kernels tell the one that follows from the niceness where none was set.
std::optional<int64_t> io_priority(int niceness) {
  const auto priority = static_cast<int>(syscall(SYS_ioprio_get, kIoPriorityOfProcess, 0));
  const int io_class = priority >> kIoClassShift, level = priority & (kIoLevels - 1);
  const bool follows = io_class == kIoClassBestEffort && (level == (niceness + 20) / 5 || level == kIoLevels / 2);
  if (priority < 0 || io_class == 0 || follows) return std::nullopt;
  return priority;
}

template <typename Number>
std::optional<Number> number_in(std::string_view text, int base) {
  Number value{};
  text = trim(text);
  if (std::from_chars(text.data(), text.data() + text.size(), value, base).ec != std::errc()) return std::nullopt;
  return value;
}

std::optional<uint32_t> told_umask() {
  constexpr std::string_view kUmask = "Umask:";
  const std::string status = read_file("/proc/self/status").value_or("");
  for (auto line : split(status, '\n'))
    if (line.starts_with(kUmask)) return number_in<uint32_t>(line.substr(kUmask.size()), 8);
  return std::nullopt;
}

rlim_t raised(int resource, const rlimit& limit) {
  if (resource == RLIMIT_STACK) return std::max(limit.rlim_cur, std::min(limit.rlim_max, kUsualStack));
  if (resource == RLIMIT_NOFILE) return std::max(limit.rlim_cur, std::min(limit.rlim_max, kEnoughFiles));
  if (resource == RLIMIT_CORE) return limit.rlim_cur;
  return limit.rlim_max;
}

void raise_soft_limits() {
  for (const auto& [name, resource] : kLimits) {
    rlimit limit;
    if (getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) continue;
    limit.rlim_cur = raised(resource, limit);
    setrlimit(static_cast<__rlimit_resource>(resource), &limit);
  }
}

// Those of a container or a cgroup stay forbidden: the kernel knows which.
void take_every_processor() {
  std::vector<unsigned long> words(kMostProcessors / kBitsInAWord, ~0ul);
  syscall(SYS_sched_setaffinity, 0, words.size() * sizeof(unsigned long), words.data());
}

// Linux before 5.9, or a filter of system calls that does not know close_range.
void close_one_by_one(const std::vector<int>& kept) {
  for (const auto& name : list_directory("/proc/self/fd").value_or(std::vector<std::string>())) {
    const int fd = number_in<int>(name, 10).value_or(-1);
    if (fd > STDERR_FILENO && std::find(kept.begin(), kept.end(), fd) == kept.end()) close(fd);
  }
}

}  // namespace

ProcessAttributes own_process_attributes() {
  ProcessAttributes attributes;
  for (const auto& [name, resource] : kLimits) {
    rlimit limit;
    if (getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) continue;
    attributes.limits.emplace_back(name, ResourceLimit{limit.rlim_cur, limit.rlim_max});
  }
  attributes.affinity = processor_list(usable_processors());
  errno = 0;
  const int niceness = getpriority(PRIO_PROCESS, 0);
  if (errno == 0) attributes.niceness = niceness;
  attributes.umask = told_umask();
  attributes.scheduling = scheduling();
  attributes.io_priority = io_priority(niceness);
  attributes.oom_score = number_in<int64_t>(read_file("/proc/self/oom_score_adj").value_or(""), 10);
  const int persona = personality(0xffffffff);
  if (persona >= 0) attributes.personality = static_cast<uint32_t>(persona);
  return attributes;
}

uint32_t current_umask() { return told_umask().value_or(022); }

void start_afresh() {
  take_every_processor();
  const sched_param usual{};
  sched_setscheduler(0, SCHED_OTHER, &usual);
  if (getpriority(PRIO_PROCESS, 0) > 0) setpriority(PRIO_PROCESS, 0, 0);
  syscall(SYS_ioprio_set, kIoPriorityOfProcess, 0, 0);
  personality(PER_LINUX);
  raise_soft_limits();
  umask(022);
}

DescriptorLimits raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  DescriptorLimits limits{limit.rlim_cur, limit.rlim_cur};
  limit.rlim_cur = raised(RLIMIT_NOFILE, limit);
  if (setrlimit(RLIMIT_NOFILE, &limit) == 0) limits.now = limit.rlim_cur;
  return limits;
}

Result<void> check_address_space(const char* program) {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur >= kLeastAddressSpace) return {};
  return fail(ErrorCode::unavailable,
              fmt::format("{} needs {} MiB of memory, and `ulimit -v` allows {} here", program,
                          kLeastAddressSpace >> 20, limit.rlim_cur >> 20),
              "start it from a shell that allows more; jobs have the limits of the shell that submits them");
}

void close_inherited_descriptors(const std::vector<int>& but) {
  std::vector<int> kept;
  for (int fd : but)
    if (fd > STDERR_FILENO) kept.push_back(fd);
  std::sort(kept.begin(), kept.end());
  unsigned from = STDERR_FILENO + 1;
  auto close_up_to = [&](unsigned last) { return last < from || syscall(SYS_close_range, from, last, 0u) == 0; };
  for (int fd : kept) {
    if (!close_up_to(static_cast<unsigned>(fd) - 1)) return close_one_by_one(kept);
    from = static_cast<unsigned>(fd) + 1;
  }
  if (!close_up_to(~0u)) close_one_by_one(kept);
}

std::string processor_list(const std::vector<int>& processors) {
  std::string list;
  for (size_t i = 0; i < processors.size();) {
    size_t last = i;
    while (last + 1 < processors.size() && processors[last + 1] == processors[last] + 1) ++last;
    if (!list.empty()) list += ',';
    list += std::to_string(processors[i]);
    if (last > i) list += '-' + std::to_string(processors[last]);
    i = last + 1;
  }
  return list;
}

}  // namespace plz
