#include "runtime/attempt_records.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstring>

#include <fmt/core.h>

#include "base/text.h"
#include "init/contract.h"
#include "os/file.h"

namespace plz {
namespace {

constexpr size_t kReasonBytes = 1000;
constexpr char kBootIdFile[] = "/proc/sys/kernel/random/boot_id";

std::optional<int64_t> number(const AttemptRecord& record, std::string_view key) {
  auto at = record.find(key);
  int64_t value = 0;
  if (at == record.end()) return std::nullopt;
  const std::string& text = at->second;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view text(const AttemptRecord& record, std::string_view key) {
  auto at = record.find(key);
  return at == record.end() ? std::string_view() : at->second;
}

std::optional<Timestamp> started_at(const AttemptRecord& record) {
  auto microseconds = number(record, init::kKeyStartedRealtime);
  if (!microseconds) return std::nullopt;
  return Timestamp(std::chrono::microseconds(*microseconds));
}

// The duration is the steady clock's: the wall clock may have jumped meanwhile.
std::optional<Timestamp> ended_at(const AttemptRecord& record) {
  auto started = started_at(record);
  auto from = number(record, init::kKeyStartedBoottime), to = number(record, init::kKeyEndedBoottime);
  int64_t took = 0, ended = 0;
  if (!started || !from || !to || __builtin_sub_overflow(*to, *from, &took) ||
      __builtin_add_overflow(started->time_since_epoch().count(), took, &ended))
    return std::nullopt;
  return Timestamp(std::chrono::microseconds(ended));
}

// Where no cgroup knows, the kernel's count for the whole machine makes a suspicion.
void suspect_lack_of_memory(Outcome& outcome, const AttemptRecord& record) {
  int64_t kills = number(record, init::kKeyOomKills).value_or(0);
  if (outcome.signal != SIGKILL || kills <= 0) return;
  outcome.reason = fmt::format("probably out of memory: the kernel killed {} for lack of memory while it ran",
                               kills == 1 ? "a process" : fmt::format("{} processes", kills));
}

void add_note(std::string& reason, const std::string& note) { reason += (reason.empty() ? "" : "; ") + note; }

Outcome outcome_of(const AttemptRecord& exit, OomKills cgroup_oom_kills) {
  Outcome outcome;
  std::string_view kind = text(exit, init::kKeyOutcome);
  outcome.reason = text(exit, init::kKeyReason);
  int status = static_cast<int>(number(exit, init::kKeyStatus).value_or(0));
  if (kind == "exited") {
    outcome.kind = status == 0 ? OutcomeKind::succeeded : OutcomeKind::exited;
    outcome.exit_status = status;
  } else if (kind == "signalled") {
    outcome.kind = OutcomeKind::signalled;
    const int64_t signal = number(exit, init::kKeySignal).value_or(SIGKILL);
    outcome.signal = signal > 0 && signal <= SIGRTMAX ? static_cast<int>(signal) : SIGKILL;
    outcome.exit_status = 128 + *outcome.signal;
  } else {
    outcome.kind = kind == "lost" ? OutcomeKind::lost : OutcomeKind::could_not_start;
    if (number(exit, init::kKeyStatus)) outcome.exit_status = status;
  }
  bool out_of_memory = cgroup_oom_kills.value_or(0) > 0 || text(exit, init::kKeyOutOfMemory) == "1";
  if (outcome.kind != OutcomeKind::succeeded && out_of_memory) {
    outcome.out_of_memory = true;
    outcome.reason = "out of memory: the kernel killed a process of the job";
  }
  if (!cgroup_oom_kills && !out_of_memory) suspect_lack_of_memory(outcome, exit);
  if (auto lacking = text(exit, init::kKeyNotGiven); !lacking.empty())
    add_note(outcome.reason, fmt::format("of what the submitting shell has, this could not be given: {}", lacking));
  return outcome;
}

bool is_note(std::string_view line) { return line.find(init::kNoOverlayNote) != line.npos; }

std::string reason_from(std::string_view errors) {
  std::string reason;
  for (auto line : split(trim(errors), '\n')) {
    if (trim(line).empty() || is_note(line)) continue;
    if (!reason.empty()) reason += "; ";
    reason += printable(trim(line));
  }
  if (reason.size() > kReasonBytes) reason.erase(0, reason.size() - kReasonBytes);
  return reason;
}

Outcome outcome_without_exit(const AttemptRecords& records, OomKills cgroup_oom_kills) {
  Outcome outcome;
  std::string errors = reason_from(records.errors);
  if (!records.start) {
    outcome.kind = OutcomeKind::could_not_start;
    outcome.reason = errors.empty() ? "plz-init was ended before it had started the command, and left no word: it was "
                                      "killed, or its disk is full"
                                    : errors;
    return outcome;
  }
  outcome.kind = OutcomeKind::lost;
  outcome.out_of_memory = cgroup_oom_kills.value_or(0) > 0;
  if (text(*records.start, init::kKeyBootId) != records.boot_id)
    outcome.reason = "the machine was restarted while the command ran";
  else outcome.reason = "the first process of the attempt (plz-init) was killed";
  if (!errors.empty()) outcome.reason += ": " + errors;
  return outcome;
}

Result<std::optional<AttemptRecord>> read_record(const AttemptPaths& paths, const char* file, const char* magic) {
  PLZ_ASSIGN(auto content, read_file_if_exists(join_path(paths.directory, file)));
  return content ? parse_attempt_record(*content, magic) : std::nullopt;
}

}  // namespace

std::optional<AttemptRecord> parse_attempt_record(std::string_view content, std::string_view magic) {
  AttemptRecord record;
  bool first = true, ended = false;
  for (auto line : split(content, '\n')) {
    if (ended) return line.empty() ? std::optional(std::move(record)) : std::nullopt;
    size_t space = line.find(' ');
    std::string_view key = line.substr(0, space);
    if (first && key != magic) return std::nullopt;
    first = false;
    if (line == "end") ended = true;
    else record[std::string(key)] = space == line.npos ? "" : line.substr(space + 1);
  }
  return std::nullopt;
}

Result<AttemptRecords> read_attempt_records(const AttemptPaths& paths) {
  AttemptRecords records;
  // The last first: once it is there, the others do not change any more.
  PLZ_ASSIGN(records.end, read_record(paths, init::kEndFile, init::kEndMagic));
  PLZ_ASSIGN(records.exit, read_record(paths, init::kExitFile, init::kExitMagic));
  PLZ_ASSIGN(records.start, read_record(paths, init::kStartFile, init::kStartMagic));
  if (records.exit) return records;
  PLZ_ASSIGN(auto errors, read_file_if_exists(join_path(paths.directory, init::kErrorFile)));
  records.errors = errors.value_or("");
  PLZ_ASSIGN(auto boot_id, read_file_if_exists(kBootIdFile));
  records.boot_id = trim(boot_id.value_or(""));
  return records;
}

ExitReport exit_report(const AttemptRecords& records, OomKills cgroup_oom_kills) {
  ExitReport report;
  if (!records.exit) {
    report.outcome = outcome_without_exit(records, cgroup_oom_kills);
    if (records.start) report.started = started_at(*records.start);
    return report;
  }
  if (auto in_container = number(*records.exit, init::kKeyCgroupOomKills); !cgroup_oom_kills && in_container)
    cgroup_oom_kills = static_cast<uint64_t>(std::max<int64_t>(0, *in_container));
  report.outcome = outcome_of(*records.exit, cgroup_oom_kills);
  if (report.outcome.kind != OutcomeKind::could_not_start) report.started = started_at(*records.exit);
  report.ended = ended_at(*records.exit);
  if (auto ended = number(*records.exit, init::kKeyEndedBoottime))
    report.ended_boot_time = std::chrono::microseconds(*ended);
  return report;
}

}  // namespace plz
