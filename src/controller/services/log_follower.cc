#include "controller/services/log_follower.h"

#include <mutex>

#include "base/log.h"
#include "logs/line_merger.h"

namespace plz {
namespace {

class LogProducer final : public Producer {
 public:
  LogProducer(ExecutionService& executions, LogStore& logs, Notifier& notifier, ExecutionId id, uint64_t offset,
              bool follow, LogKind kind)
      : executions_(executions),
        logs_(logs),
        notifier_(notifier),
        id_(id),
        follow_(follow),
        kind_(kind),
        offset_(offset) {}

  void on_wake(std::function<void()> wake) override {
    wake_by(wake);
    execution_changes_ = notifier_.subscribe(id_.uuid(), wake);
  }

  // By the log alone: whoever calls looks out for changes of the execution.
  void wake_by(std::function<void()> wake) { wake_ = std::move(wake); }

  State produce(std::string& piece, size_t target_bytes) override {
    if (!log_ && executions_.is_queued(id_)) return follow_ ? State::waiting : State::end;
    // Read before the log: whatever was appended before its end is then seen below.
    auto execution = executions_.get(id_);
    if (!execution) return failed(execution.error());
    const bool ended = has_ended(execution->state);
    if (!log_) {
      if (!execution->attempt_id) return ended || !follow_ ? State::end : State::waiting;
      begin(*execution->attempt_id);
    }
    piece.resize(target_bytes);
    auto size = logs_.read(*log_, offset_, piece.data(), piece.size());
    if (!size) return failed(size.error());
    piece.resize(*size);
    offset_ += *size;
    if (*size > 0) return State::data;
    return ended || !follow_ ? State::end : State::waiting;
  }

 private:
  bool has_ended(ExecutionState state) const {
    if (kind_ == LogKind::job) return state == ExecutionState::finished;
    return state != ExecutionState::queued && state != ExecutionState::starting;
  }

  void begin(AttemptId attempt) {
    log_ = log_of(attempt, kind_);
    log_changes_ = logs_.subscribe(*log_, wake_);
  }

  State failed(const Error& error) {
    log_error("log of {}: {}", id_.to_string(), error.message);
    return State::failed;
  }

  ExecutionService& executions_;
  LogStore& logs_;
  Notifier& notifier_;
  const ExecutionId id_;
  const bool follow_;
  const LogKind kind_;
  std::function<void()> wake_ = [] {};
  std::shared_ptr<void> execution_changes_, log_changes_;
  std::optional<Uuid> log_;
  uint64_t offset_;
};

class CompositeProducer final : public Producer {
 public:
  CompositeProducer(ExecutionService& executions, LogStore& logs, Notifier& notifier, ExecutionId composite,
                    const std::vector<PartLog>& parts, bool follow, LogKind kind)
      : notifier_(notifier), composite_(composite), merger_(parts.size()) {
    for (const PartLog& part : parts)
      parts_.push_back({std::make_unique<LogProducer>(executions, logs, notifier, part.id, part.offset, follow, kind)});
  }

  void on_wake(std::function<void()> wake) override {
    changes_ = notifier_.subscribe(composite_.uuid(), wake);  // told of each part's changes, too
    for (auto& part : parts_) part.producer->wake_by(wake);
  }

  State produce(std::string& piece, size_t target_bytes) override {
    // What was read may all be held back, as lines that are not whole: then there may be more to read.
    for (;;) {
      bool read_some = false;
      State state = look_at_all(piece, target_bytes, read_some);
      if (state != State::waiting || !read_some) return state;
    }
  }

 private:
  State look_at_all(std::string& piece, size_t target_bytes, bool& read_some) {
    bool all_ended = true;
    std::string bytes;
    for (size_t i = 0; i < parts_.size() && piece.size() < target_bytes; ++i) {
      size_t index = (first_ + i) % parts_.size();
      Part& part = parts_[index];
      if (part.ended) continue;
      if (!merger_.wants(index)) {
        all_ended = false;
        continue;
      }
      bytes.clear();
      // Small helpings, so that no part's log crowds out the others.
      State state = part.producer->produce(bytes, 64u << 10);
      if (state == State::failed) return state;
      if (state == State::data) merger_.add(index, bytes, piece);
      read_some = read_some || state == State::data;
      if (state == State::end) {
        part.ended = true;
        merger_.end(index, piece);
      }
      all_ended = all_ended && part.ended;
    }
    first_ = parts_.empty() ? 0 : (first_ + 1) % parts_.size();
    if (!piece.empty()) return State::data;
    if (all_ended) return State::end;
    return State::waiting;
  }

  struct Part {
    std::unique_ptr<LogProducer> producer;
    bool ended = false;
  };
  Notifier& notifier_;
  const ExecutionId composite_;
  std::shared_ptr<void> changes_;
  std::vector<Part> parts_;
  LineMerger merger_;
  size_t first_ = 0;
};

}  // namespace

Uuid log_of(AttemptId attempt, LogKind kind) {
  return kind == LogKind::job ? attempt.uuid() : preparation_log_of(attempt);
}

Result<uint64_t> offset_in_log(const Execution& execution, LogStore& logs, LogStart start, LogKind kind) {
  if (start.kind == LogStart::Kind::offset) return start.offset;
  if (!execution.attempt_id) return 0;
  const Uuid log = log_of(*execution.attempt_id, kind);
  if (start.kind == LogStart::Kind::time) return logs.offset_at(log, start.time);
  return logs.state(log).map([](LogState state) { return state.bytes; });
}

std::unique_ptr<Producer> follow_log(ExecutionService& executions, LogStore& logs, Notifier& notifier, ExecutionId id,
                                     uint64_t offset, bool follow, LogKind kind) {
  return std::make_unique<LogProducer>(executions, logs, notifier, id, offset, follow, kind);
}

std::unique_ptr<Producer> follow_composite(ExecutionService& executions, LogStore& logs, Notifier& notifier,
                                           ExecutionId composite, const std::vector<PartLog>& parts, bool follow,
                                           LogKind kind) {
  return std::make_unique<CompositeProducer>(executions, logs, notifier, composite, parts, follow, kind);
}

}  // namespace plz
