#include "init/attributes.h"

#include <sched.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

namespace plz::init {
namespace {

constexpr struct {
  const char* name;
  int resource;
} kLimitNames[] = {{"cpu", RLIMIT_CPU},           {"fsize", RLIMIT_FSIZE},
                   {"data", RLIMIT_DATA},         {"stack", RLIMIT_STACK},
                   {"core", RLIMIT_CORE},         {"rss", RLIMIT_RSS},
                   {"nproc", RLIMIT_NPROC},       {"nofile", RLIMIT_NOFILE},
                   {"memlock", RLIMIT_MEMLOCK},   {"as", RLIMIT_AS},
                   {"locks", RLIMIT_LOCKS},       {"sigpending", RLIMIT_SIGPENDING},
                   {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
                   {"rtprio", RLIMIT_RTPRIO},     {"rttime", RLIMIT_RTTIME}};
constexpr char kUnlimited[] = "unlimited";

constexpr int kMostProcessors = 1 << 16;
constexpr int kBits = 8 * sizeof(unsigned long);
constexpr int kIoPriorityOfProcess = 1;

struct WantedLimit {
  const char* name;
  int resource;
  rlimit value;
};

bool read_bound(const char*& at, rlim_t& bound) {
  if (strncmp(at, kUnlimited, strlen(kUnlimited)) == 0) {
    at += strlen(kUnlimited);
    bound = RLIM_INFINITY;
    return true;
  }
  char* end;
  bound = strtoull(at, &end, 10);
  return std::exchange(at, end) != end;
}

// "nofile 1024 4096". Of a newer runtime there may be names that are not known here.
std::optional<WantedLimit> read_limit(const char* text) {
  for (const auto& [name, resource] : kLimitNames) {
    const size_t length = strlen(name);
    if (strncmp(text, name, length) != 0 || text[length] != ' ') continue;
    WantedLimit wanted{name, resource, {}};
    const char* at = text + length + 1;
    if (!read_bound(at, wanted.value.rlim_cur) || *at++ != ' ' || !read_bound(at, wanted.value.rlim_max)) break;
    return wanted;
  }
  return std::nullopt;
}

bool get(int resource, rlimit& limit) { return syscall(SYS_prlimit64, 0, resource, nullptr, &limit) == 0; }
bool set(int resource, const rlimit& limit) { return syscall(SYS_prlimit64, 0, resource, &limit, nullptr) == 0; }

// False: forbidden.
bool raise_hard_limit(const WantedLimit& wanted) {
  rlimit now;
  if (!get(wanted.resource, now)) return false;
  return wanted.value.rlim_max <= now.rlim_max || set(wanted.resource, {now.rlim_cur, wanted.value.rlim_max});
}

std::string bound_text(rlim_t bound) { return bound == RLIM_INFINITY ? kUnlimited : std::to_string(bound); }

std::string text_of(const rlimit& limit) { return bound_text(limit.rlim_cur) + ":" + bound_text(limit.rlim_max); }

using Processors = std::vector<unsigned long>;

Processors read_processors(const char* list) {
  Processors processors(kMostProcessors / kBits);
  for (const char* at = list; *at >= '0' && *at <= '9';) {
    char* end;
    unsigned long first = strtoul(at, &end, 10), last = first;
    if (*end == '-') last = strtoul(end + 1, &end, 10);
    for (unsigned long cpu = first; cpu <= last && cpu < kMostProcessors; ++cpu)
      processors[cpu / kBits] |= 1ul << (cpu % kBits);
    at = *end == ',' ? end + 1 : end;
  }
  return processors;
}

size_t bytes_of(const Processors& processors) { return processors.size() * sizeof processors[0]; }

Processors current_processors() {
  Processors processors(kMostProcessors / kBits);
  if (syscall(SYS_sched_getaffinity, 0, bytes_of(processors), processors.data()) < 0) processors.clear();
  return processors;
}

std::string text_of(const Processors& processors) {
  auto holds = [&](size_t cpu) {
    return cpu / kBits < processors.size() && (processors[cpu / kBits] >> (cpu % kBits) & 1) != 0;
  };
  std::string text;
  for (size_t cpu = 0; cpu < processors.size() * kBits; ++cpu) {
    if (!holds(cpu)) continue;
    size_t last = cpu;
    while (holds(last + 1)) ++last;
    text += (text.empty() ? "" : ",") + std::to_string(cpu) + (last > cpu ? "-" + std::to_string(last) : "");
    cpu = last;
  }
  return text;
}

int policy_of(const char* name) {
  if (strcmp(name, "batch") == 0) return SCHED_BATCH;
  return strcmp(name, "idle") == 0 ? SCHED_IDLE : SCHED_OTHER;
}

// -1 may be the niceness, too; what is not there is.
int niceness() { return getpriority(PRIO_PROCESS, 0); }

}  // namespace

void raise_for_the_job(const AttributeSpec& wanted) {
  for (const char* text : wanted.limits)
    if (auto limit = read_limit(text)) raise_hard_limit(*limit);
  if (wanted.niceness && atoi(wanted.niceness) < niceness()) setpriority(PRIO_PROCESS, 0, atoi(wanted.niceness));
}

void JobAttributes::lacks(const std::string& what, const std::string& has) {
  not_given_ += (not_given_.empty() ? "" : ", ") + what + " (it has " + has + ")";
}

void JobAttributes::plan_limit(const char* text) {
  auto wanted = read_limit(text);
  rlimit now;
  if (!wanted) return;
  raise_hard_limit(*wanted);
  if (!get(wanted->resource, now)) return;
  rlimit possible{std::min(wanted->value.rlim_cur, now.rlim_max), std::min(wanted->value.rlim_max, now.rlim_max)};
  limits_.push_back({wanted->resource, possible});
  if (possible.rlim_cur != wanted->value.rlim_cur || possible.rlim_max != wanted->value.rlim_max)
    lacks(std::string(wanted->name) + " " + text_of(wanted->value), text_of(possible));
}

void JobAttributes::give_affinity() {
  const Processors processors = read_processors(wanted_.affinity);
  syscall(SYS_sched_setaffinity, 0, bytes_of(processors), processors.data());
  const Processors has = current_processors();
  if (has != processors) lacks(std::string("the processors ") + wanted_.affinity, text_of(has));
}

void JobAttributes::give_niceness() {
  const int wanted = atoi(wanted_.niceness);
  setpriority(PRIO_PROCESS, 0, wanted);
  if (const int has = niceness(); has != wanted) lacks("niceness " + std::to_string(wanted), std::to_string(has));
}

void JobAttributes::give_scheduling() {
  const sched_param usual{};
  if (sched_setscheduler(0, policy_of(wanted_.scheduling), &usual) != 0)
    lacks(std::string("scheduling ") + wanted_.scheduling, "another");
}

void JobAttributes::give() {
  for (const char* text : wanted_.limits) plan_limit(text);
  if (wanted_.affinity) give_affinity();
  if (wanted_.niceness) give_niceness();
  if (wanted_.scheduling) give_scheduling();
  if (wanted_.io_priority && syscall(SYS_ioprio_set, kIoPriorityOfProcess, 0, atoi(wanted_.io_priority)) != 0)
    lacks(std::string("I/O priority ") + wanted_.io_priority, "another");
  if (wanted_.personality) personality(strtoul(wanted_.personality, nullptr, 10));
  umask(wanted_.umask ? static_cast<mode_t>(strtoul(wanted_.umask, nullptr, 8)) & 0777 : 022);
}

void JobAttributes::give_limits() const {
  for (const Limit& limit : limits_) set(limit.resource, limit.value);
}

}  // namespace plz::init
