// What plz-init left in an attempt's directory, and what it means.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/runtime.h"

namespace plz {

// One record: its keys and values.
using AttemptRecord = std::map<std::string, std::string, std::less<>>;
// nullopt: not finished, damaged, or not a record of this kind.
std::optional<AttemptRecord> parse_attempt_record(std::string_view text, std::string_view magic);

struct AttemptRecords {
  std::optional<AttemptRecord> start, exit, end;
  std::string errors;   // what plz-init and the sandbox program said
  std::string boot_id;  // of the machine, now

  // The command has ended, or never will start, and the log is complete.
  bool complete() const { return end.has_value(); }
};

// Absent files are absent records.
Result<AttemptRecords> read_attempt_records(const AttemptPaths& paths);

// What is known of kills for lack of memory in the attempt's cgroup; nullopt: it had none.
using OomKills = std::optional<uint64_t>;

// Of complete records.
ExitReport exit_report(const AttemptRecords& records, OomKills cgroup_oom_kills);

}  // namespace plz
