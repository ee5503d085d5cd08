// What a process hands down to those that it starts, beside its environment and its directory: a job gets what
// the submitting shell had of it. Values only; os/own_process.h reads those of a process.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plz {

// As setrlimit(2) takes it.
struct ResourceLimit {
  static constexpr uint64_t kUnlimited = UINT64_MAX;
  uint64_t soft = kUnlimited, hard = kUnlimited;
  bool operator==(const ResourceLimit&) const = default;
};

// What is absent is not said: the job has of it what whoever starts it has.
struct ProcessAttributes {
  std::vector<std::pair<std::string, ResourceLimit>> limits;  // by names as in `nofile`, of RLIMIT_NOFILE
  std::string affinity;                                       // the processors that may be used: "0-3,8"
  std::optional<int64_t> niceness;
  std::optional<uint32_t> umask;
  std::string scheduling;               // "other", "batch" or "idle": SCHED_OTHER and so on
  std::optional<int64_t> io_priority;   // as ioprio_set(2) takes it, where one was set
  std::optional<int64_t> oom_score;     // oom_score_adj of proc(5)
  std::optional<uint32_t> personality;  // of personality(2): whether addresses are random
  bool operator==(const ProcessAttributes&) const = default;
  bool empty() const { return *this == ProcessAttributes(); }
};

// "1024:4096", "unlimited:unlimited".
std::string limit_text(const ResourceLimit& limit);
std::optional<ResourceLimit> parse_limit(std::string_view text);
// "022".
std::string umask_text(uint32_t umask);
std::optional<uint32_t> parse_umask(std::string_view text);

}  // namespace plz
