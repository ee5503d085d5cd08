#include "controller/recovery.h"

#include <algorithm>

#include <fmt/core.h>

#include "store/chunker.h"
#include "store/hasher.h"
#include "store/pack_inspection.h"
#include "store/tree.h"
#include "wire/execution_json.h"

namespace plz {
namespace {

// A UUID of version 7 begins with the milliseconds of its making.
Timestamp time_of(const Uuid& uuid) {
  int64_t milliseconds = 0;
  for (size_t i = 0; i < 6; ++i) milliseconds = milliseconds << 8 | uuid.bytes()[i];
  return Timestamp(std::chrono::milliseconds(milliseconds));
}

}  // namespace

Result<Recovered> Recovery::run(const std::vector<FoundLog>& logs) {
  PLZ_ASSIGN(auto present, packs_.list());
  PLZ_ASSIGN(auto recorded, database_.blobs().packs());
  PLZ_ASSIGN(auto dropped, database_.blobs().dropped_packs());
  std::set<Uuid> known(recorded.begin(), recorded.end());
  for (const Uuid& id : recorded)
    done_.missing_packs += std::binary_search(present.begin(), present.end(), PackId(id)) ? 0 : 1;
  known.insert(dropped.begin(), dropped.end());
  // By the time of their making: what a blob refers to lies in the same pack or in one before it.
  for (const PackId& id : present)
    if (!known.contains(id.uuid())) PLZ_TRY(take_in(id));
  PLZ_TRY(record_directories());
  PLZ_TRY(record_logs(logs));
  return done_;
}

Result<void> Recovery::take_in(PackId id) {
  std::vector<BlobRecord> records;
  auto inspected = inspect_pack(
      packs_, id, [&](const PackRecordHeader& header, uint64_t offset, std::string_view bytes) -> Result<void> {
        records.push_back(BlobRecord{header.digest, id.uuid(), offset, header.stored_bytes, header.bytes,
                                     header.checksum, static_cast<uint8_t>(header.codec)});
        look_into(header.digest, bytes, id);
        done_.bytes += header.bytes;
        return {};
      });
  if (!inspected) return fail(std::move(inspected).error());
  done_.damaged_blobs += inspected->damaged;
  if (!inspected->broken.empty())
    done_.broken_packs.push_back(
        fmt::format("{} after {} blobs: {}", id.to_string(), inspected->blobs + inspected->damaged, inspected->broken));
  if (records.empty()) return done_.useless_packs.push_back(id), Result<void>();
  ++done_.packs;
  done_.blobs += records.size();
  PLZ_ASSIGN(const uint64_t bytes, packs_.size(id));
  PLZ_TRY(database_.blobs().add_pack(id.uuid(), bytes, records));
  return packs_.settle(id);
}

void Recovery::look_into(const Digest& digest, std::string_view bytes, PackId pack) {
  TakenTree taken;
  taken.pack = pack;
  if (auto tree = decode_tree(bytes)) {
    for (const TreeEntry& entry : tree->entries)
      if (entry.kind != EntryKind::symlink) taken.names.push_back(entry.digest);
  } else if (auto chunks = decode_chunk_list(bytes)) {
    for (const ChunkReference& chunk : *chunks) taken.names.push_back(chunk.digest);
    lists_.insert(digest);
  } else {
    return;
  }
  named_.insert(taken.names.begin(), taken.names.end());
  trees_[digest] = std::move(taken);
}

Result<bool> Recovery::has_all_below(const Digest& root) {
  std::vector<Digest> pending{root};
  std::set<Digest> seen;
  while (!pending.empty()) {
    const Digest digest = pending.back();
    pending.pop_back();
    auto tree = trees_.find(digest);
    if (tree == trees_.end()) continue;
    PLZ_ASSIGN(auto found, database_.blobs().find(tree->second.names));
    for (size_t i = 0; i < found.size(); ++i) {
      if (!found[i]) return false;
      if (seen.insert(tree->second.names[i]).second) pending.push_back(tree->second.names[i]);
    }
  }
  return true;
}

// Those of code, input and output: nobody can tell which is which.
Result<void> Recovery::record_directories() {
  for (const auto& [digest, tree] : trees_) {
    if (named_.contains(digest) || lists_.contains(digest) || tree.names.empty()) continue;
    PLZ_ASSIGN(bool is_whole, has_all_below(digest));
    ++done_.directories;
    if (!is_whole) ++done_.incomplete;
    PLZ_TRY(record_execution(digest, true, nullptr, time_of(tree.pack.uuid()),
                             fmt::format("recovered from packs: code, input or output of an execution whose record is "
                                         "lost{}",
                                         is_whole ? "" : "; something of it is lost, too")));
  }
  return {};
}

Result<void> Recovery::record_logs(const std::vector<FoundLog>& logs) {
  std::set<Uuid> preparations;
  for (const FoundLog& log : logs) preparations.insert(preparation_log_of(AttemptId(log.attempt)));
  for (const FoundLog& log : logs) {
    if (preparations.contains(log.attempt)) continue;
    PLZ_ASSIGN(auto attempt, database_.executions().find_attempt(AttemptId(log.attempt)));
    if (attempt) continue;
    PLZ_ASSIGN(const Digest tree, empty_tree());
    PLZ_TRY(record_execution(tree, false, &log, time_of(log.attempt),
                             "recovered from its log: the record of the execution is lost"));
    ++done_.logs;
  }
  return {};
}

// Something that an execution can name as its code.
Result<Digest> Recovery::empty_tree() {
  const std::string bytes = encode_tree({});
  const Digest digest = digest_of(bytes);
  PLZ_ASSIGN(auto found, database_.blobs().find({&digest, 1}));
  if (found[0]) return digest;
  std::string pack;
  append_blob_to_pack(pack, digest, bytes);
  const PackId id = PackId::make(clock_);
  PLZ_ASSIGN(auto writer, packs_.create(id));
  PLZ_TRY(writer->append(pack));
  PLZ_TRY(writer->commit());
  BlobRecord record;
  PackParser parser({[&](const PackRecordHeader& header, uint64_t offset) -> Result<void> {
                      record = {header.digest,
                                id.uuid(),
                                offset,
                                header.stored_bytes,
                                header.bytes,
                                header.checksum,
                                static_cast<uint8_t>(header.codec)};
                      return {};
                    }},
                    false);
  PLZ_TRY(parser.feed(pack));
  PLZ_TRY(database_.blobs().add_pack(id.uuid(), pack.size(), {&record, 1}));
  PLZ_TRY(packs_.settle(id));
  return digest;
}

Result<void> Recovery::record_execution(const Digest& tree, bool is_output, const FoundLog* log, Timestamp time,
                                        const std::string& reason) {
  NewExecution made;
  Execution& execution = made.execution;
  execution.id = ExecutionId::make(clock_);
  execution.spec.user = user_;
  execution.spec.project = kRecoveredProject;
  execution.spec.command = {"(lost)"};
  execution.spec.snapshot.code_tree = tree;
  execution.times.submitted = time;
  made.document = execution_document(execution, "{}");
  PLZ_TRY(database_.executions().create({made}, ""));
  execution.state = ExecutionState::finished;
  execution.outcome = Outcome{OutcomeKind::lost, std::nullopt, std::nullopt, false, reason};
  execution.times.finished = clock_.now();
  if (is_output) execution.output_tree = tree;
  std::optional<Attempt> attempt;
  if (log) {
    attempt.emplace();
    attempt->id = AttemptId(log->attempt);
    attempt->execution_id = execution.id;
    attempt->log_bytes = log->bytes;
    attempt->log_complete = true;
    execution.attempt_id = attempt->id;
    execution.attempts = 1;
  }
  PLZ_ASSIGN(bool saved, database_.executions().save(execution, 0, attempt, execution_document(execution, "{}"),
                                                     Durability::durable));
  if (!saved) return fail(ErrorCode::conflict, "somebody else writes to the database");
  return {};
}

}  // namespace plz
