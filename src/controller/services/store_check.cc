#include "controller/services/store_check.h"

#include <algorithm>
#include <set>
#include <tuple>

#include <fmt/core.h>

#include "base/log.h"
#include "store/pack_format.h"

namespace plz {
namespace {

constexpr uint64_t kBytesAtOnce = 64u << 20;  // between two lines
constexpr uint64_t kWindowBytes = 1u << 20;
constexpr size_t kExecutionsAtOnce = 1'000;

// Of an execution: the trees that it refers to.
struct Needs {
  ExecutionId id;
  Digest code;
  std::optional<Digest> input, output;
};

Needs needs_of(const Execution& execution) {
  const ExecutionSpec& spec = execution.spec;
  Needs needs{execution.id, spec.snapshot.code_tree, std::nullopt, execution.output_tree};
  if (spec.input) needs.input = spec.input->tree;
  return needs;
}

std::string line_of(const CheckReport& report) { return check_report_to_json(report) + "\n"; }

}  // namespace

Producer::State StoreCheck::produce(std::string& piece, size_t) {
  auto done = begun_ ? Result<void>() : begin();
  begun_ = true;
  const bool last = next_ == blobs_.size() && logs_done_;
  if (done) done = last ? finish() : next_ < blobs_.size() ? check_some() : check_some_logs();
  if (!done) {
    log_error("checking the store: {}", done.error().message);
    return State::failed;
  }
  piece = line_of(report_);
  return last ? State::end : State::data;
}

Result<void> StoreCheck::begin() {
  if (auto sound = database_.identity().look_through(); !sound) report_.database = sound.error().message;
  std::set<Uuid> packs;
  PLZ_TRY(database_.blobs().each([&](const BlobRecord& blob) {
    blobs_.push_back(blob);
    packs.insert(blob.pack);
    report_.total_bytes += blob.stored_bytes;
    return true;
  }));
  std::sort(blobs_.begin(), blobs_.end(),
            [](const auto& a, const auto& b) { return std::tie(a.pack, a.offset) < std::tie(b.pack, b.offset); });
  report_.packs = packs.size();
  return {};
}

Result<void> StoreCheck::check_some() {
  const uint64_t until = report_.checked_bytes + kBytesAtOnce;
  while (next_ < blobs_.size() && report_.checked_bytes < until) {
    const BlobRecord& blob = blobs_[next_++];
    PLZ_TRY(check(blob));
    ++report_.blobs;
    report_.checked_bytes += blob.stored_bytes;
  }
  return {};
}

// Those of a few executions, or of one whose log is large.
Result<void> StoreCheck::check_some_logs() {
  constexpr size_t kLogsAtOnce = 50;
  const uint64_t until = report_.log_bytes + kBytesAtOnce;
  PLZ_ASSIGN(const auto page, database_.executions().list({}, logs_before_, kLogsAtOnce));
  for (const ExecutionRecord& record : page) {
    PLZ_TRY(check_log(record.execution, LogKind::job));
    if (record.execution.spec.snapshot.environment.uses_container())
      PLZ_TRY(check_log(record.execution, LogKind::preparation));
    logs_before_ = record.execution.id;
    if (report_.log_bytes >= until) return {};
  }
  logs_done_ = page.size() < kLogsAtOnce;
  return {};
}

// One that is written, ends or is deleted meanwhile is looked at as it is then.
Result<void> StoreCheck::check_log(const Execution& recorded, LogKind kind) {
  auto found = look_at_log(executions_, logs_, recorded, kind, 0);
  if (found && !found->damage.empty()) {
    auto execution = executions_.get(recorded.id);
    if (!execution && execution.error().code == ErrorCode::not_found) return {};
    if (!execution) return fail(std::move(execution).error());
    found = look_at_log(executions_, logs_, *execution, kind, 0);
    if (found && repair_) PLZ_TRY(have_sent_again(logs_, *found, *execution, kind));
  }
  if (!found && found.error().code == ErrorCode::not_found) return {};
  if (!found) return fail(std::move(found).error());
  report_.logs += found->logs;
  report_.log_bytes += found->bytes;
  report_.damaged_logs.insert(report_.damaged_logs.end(), found->damage.begin(), found->damage.end());
  return {};
}

Result<void> StoreCheck::check(const BlobRecord& recorded) {
  std::string fault = fault_of(recorded);
  if (fault.empty()) return {};
  // A collection may have removed it since, or written its pack anew.
  PLZ_ASSIGN(auto found, database_.blobs().find({&recorded.digest, 1}));
  if (!found[0]) return {};
  const BlobRecord& blob = *found[0];
  if (blob.pack != recorded.pack || blob.offset != recorded.offset) fault = fault_of(blob);
  if (fault.empty()) return {};
  report_.damaged.push_back({blob.digest.hex(), PackId(blob.pack).to_string(), fault, blob.bytes});
  damaged_.push_back(blob.digest);
  return {};
}

std::string StoreCheck::fault_of(const BlobRecord& blob) {
  std::string_view record;
  if (auto got = read(blob, record); !got) return got.error().message;
  if (record.substr(0, Digest::kBytes) != blob.digest.view()) return "another blob lies in its place in the pack";
  if (checksum_of_stored(record.substr(kPackRecordHeaderBytes)) != blob.checksum)
    return "its bytes are not what was stored";
  return {};
}

// Header and stored bytes, valid until the next call.
Result<void> StoreCheck::read(const BlobRecord& blob, std::string_view& record) {
  const uint64_t at = blob.offset - kPackRecordHeaderBytes, size = kPackRecordHeaderBytes + blob.stored_bytes;
  const bool is_there =
      window_pack_ == blob.pack && at >= window_at_ && at + size <= window_at_ + window_.size() && !window_.empty();
  if (!is_there) {
    window_.clear();
    PLZ_ASSIGN(const uint64_t pack_bytes, packs_.size(PackId(blob.pack)));
    if (at + size > pack_bytes) return fail(ErrorCode::damaged, "its pack is cut short");
    std::string window(std::max(size, std::min(kWindowBytes, pack_bytes - at)), '\0');
    PLZ_TRY(packs_.read(PackId(blob.pack), at, window.data(), window.size()));
    window_ = std::move(window);
    window_pack_ = blob.pack;
    window_at_ = at;
  }
  record = std::string_view(window_).substr(at - window_at_, size);
  return {};
}

Result<void> StoreCheck::finish() {
  window_ = {};
  const std::set<Digest> damaged(damaged_.begin(), damaged_.end());
  PLZ_ASSIGN(auto marked, database_.blobs().damaged());
  for (const auto& [digest, fault] : marked) {
    if (damaged.contains(digest)) continue;
    ++report_.healed;
    PLZ_TRY(database_.blobs().mark_sound(digest));
  }
  if (!damaged_.empty()) PLZ_TRY(note_who_needs_it());
  if (repair_) PLZ_TRY(database_.blobs().mark_damaged(damaged_, "found by a check"));
  report_.done = true;
  return {};
}

Result<void> StoreCheck::note_who_needs_it() {
  SoundTrees sound;
  DamageWalk walk(database_.blobs(), packs_, sound, 0);
  std::optional<ExecutionId> before;
  for (;;) {
    std::vector<Needs> page;
    PLZ_TRY(database_.executions().each({}, before, kExecutionsAtOnce, [&](const ExecutionRecord& record) {
      page.push_back(needs_of(record.execution));
      return true;
    }));
    for (const Needs& execution : page) {
      DamagedExecution found{execution.id.to_string(), {}};
      auto look = [&](const Digest& tree, const char* what) -> Result<void> {
        PLZ_ASSIGN(auto damage, walk.damage_below(tree));
        if (!damage.empty()) found.damaged.push_back(what);
        return {};
      };
      PLZ_TRY(look(execution.code, "code"));
      if (execution.input) PLZ_TRY(look(*execution.input, "input"));
      if (execution.output) PLZ_TRY(look(*execution.output, "output"));
      if (!found.damaged.empty()) report_.executions.push_back(std::move(found));
    }
    if (page.size() < kExecutionsAtOnce) return {};
    before = page.back().id;
  }
}

}  // namespace plz
