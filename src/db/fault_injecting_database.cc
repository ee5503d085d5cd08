#include "db/fault_injecting_database.h"

#include <mutex>

namespace plz {
namespace {

using When = FaultInjectingDatabase::When;

struct Fault {
  Error error;
  When when = When::before;
};

class Plan {
 public:
  void set(uint64_t nth, uint64_t count, Fault fault) {
    std::lock_guard lock(mutex_);
    from_ = calls_ + nth;
    count_ = count;
    fault_ = std::move(fault);
  }
  uint64_t calls() {
    std::lock_guard lock(mutex_);
    return calls_;
  }

  template <typename Call>
  auto around(Call call) -> decltype(call()) {
    std::optional<Fault> fault = next();
    if (fault && fault->when == When::before) return fail(fault->error);
    auto result = call();
    if (fault) return fail(fault->error);
    return result;
  }

 private:
  std::optional<Fault> next() {
    std::lock_guard lock(mutex_);
    ++calls_;
    if (calls_ < from_ || calls_ - from_ >= count_) return std::nullopt;
    return fault_;
  }

  std::mutex mutex_;
  uint64_t calls_ = 0, from_ = 0, count_ = 0;
  Fault fault_;
};

class FaultyExecutions final : public ExecutionRecords {
 public:
  FaultyExecutions(Plan& plan, ExecutionRecords& real) : plan_(plan), real_(real) {}
  Result<ExecutionId> create(const std::vector<NewExecution>& executions, const IdempotencyKey& key) override {
    return plan_.around([&] { return real_.create(executions, key); });
  }
  Result<std::optional<ExecutionRecord>> find(ExecutionId id) override {
    return plan_.around([&] { return real_.find(id); });
  }
  Result<void> each(const ExecutionFilter& filter, std::optional<ExecutionId> before, size_t limit,
                    const Visit& visit) override {
    return plan_.around([&] { return real_.each(filter, before, limit, visit); });
  }
  Result<void> each_unfinished(const Visit& visit) override {
    return plan_.around([&] { return real_.each_unfinished(visit); });
  }
  Result<void> each_part(ExecutionId composite, std::optional<int64_t> from_index, const Visit& visit) override {
    return plan_.around([&] { return real_.each_part(composite, from_index, visit); });
  }
  Result<bool> save(const Execution& execution, uint64_t version, const std::optional<Attempt>& attempt,
                    const std::string& document, Durability durability) override {
    return plan_.around([&] { return real_.save(execution, version, attempt, document, durability); });
  }
  Result<StoppedParts> stop_parts(ExecutionId composite, const Outcome& outcome, Timestamp now) override {
    return plan_.around([&] { return real_.stop_parts(composite, outcome, now); });
  }
  Result<std::optional<Attempt>> find_attempt(AttemptId id) override {
    return plan_.around([&] { return real_.find_attempt(id); });
  }
  Result<std::vector<Attempt>> attempts(ExecutionId id) override {
    return plan_.around([&] { return real_.attempts(id); });
  }
  Result<SubmittingShell> submitting_shell(ExecutionId id) override {
    return plan_.around([&] { return real_.submitting_shell(id); });
  }
  Result<void> remove(ExecutionId id) override {
    return plan_.around([&] { return real_.remove(id); });
  }

 private:
  Plan& plan_;
  ExecutionRecords& real_;
};

class FaultyMeasures final : public MeasureRecords {
 public:
  FaultyMeasures(Plan& plan, MeasureRecords& real) : plan_(plan), real_(real) {}
  Result<void> append(ExecutionId execution, AttemptId attempt, const std::vector<MeasureEvent>& events) override {
    return plan_.around([&] { return real_.append(execution, attempt, events); });
  }
  Result<void> latest(AttemptId attempt, const std::string& prefix, const OnEvent& on_event) override {
    return plan_.around([&] { return real_.latest(attempt, prefix, on_event); });
  }
  Result<std::vector<MeasureEvent>> events(AttemptId attempt, const std::optional<std::string>& path, uint64_t after,
                                           size_t limit) override {
    return plan_.around([&] { return real_.events(attempt, path, after, limit); });
  }
  Result<uint64_t> last_sequence(AttemptId attempt) override {
    return plan_.around([&] { return real_.last_sequence(attempt); });
  }

 private:
  Plan& plan_;
  MeasureRecords& real_;
};

class FaultyCursor final : public HistoryCursor {
 public:
  FaultyCursor(Plan& plan, std::unique_ptr<HistoryCursor> real) : plan_(plan), real_(std::move(real)) {}
  Result<std::optional<Row>> next() override {
    return plan_.around([&] { return real_->next(); });
  }

 private:
  Plan& plan_;
  std::unique_ptr<HistoryCursor> real_;
};

class FaultyHistory final : public History {
 public:
  FaultyHistory(Plan& plan, History& real) : plan_(plan), real_(real) {}
  Result<std::unique_ptr<HistoryCursor>> open(const HistoryQuery& query) override {
    return plan_.around([&]() -> Result<std::unique_ptr<HistoryCursor>> {
      PLZ_ASSIGN(auto cursor, real_.open(query));
      return std::make_unique<FaultyCursor>(plan_, std::move(cursor));
    });
  }

 private:
  Plan& plan_;
  History& real_;
};

class FaultyInstances final : public InstanceRecords {
 public:
  FaultyInstances(Plan& plan, InstanceRecords& real) : plan_(plan), real_(real) {}
  Result<void> save(const Instance& instance, Durability durability) override {
    return plan_.around([&] { return real_.save(instance, durability); });
  }
  Result<std::optional<Instance>> find(InstanceId id) override {
    return plan_.around([&] { return real_.find(id); });
  }
  Result<std::vector<Instance>> list(bool gone_too) override {
    return plan_.around([&] { return real_.list(gone_too); });
  }

 private:
  Plan& plan_;
  InstanceRecords& real_;
};

class FaultyBlobs final : public BlobRecords {
 public:
  FaultyBlobs(Plan& plan, BlobRecords& real) : plan_(plan), real_(real) {}
  Result<void> add_pack(const Uuid& pack, uint64_t pack_bytes, std::span<const BlobRecord> blobs) override {
    return plan_.around([&] { return real_.add_pack(pack, pack_bytes, blobs); });
  }
  Result<std::vector<std::optional<BlobRecord>>> find(std::span<const Digest> digests) override {
    return plan_.around([&] { return real_.find(digests); });
  }
  Result<void> mark_damaged(std::span<const Digest> digests, const std::string& fault) override {
    return plan_.around([&] { return real_.mark_damaged(digests, fault); });
  }
  Result<void> mark_sound(const Digest& digest) override {
    return plan_.around([&] { return real_.mark_sound(digest); });
  }
  Result<std::vector<std::pair<Digest, std::string>>> damaged() override {
    return plan_.around([&] { return real_.damaged(); });
  }
  Result<std::vector<Uuid>> packs() override {
    return plan_.around([&] { return real_.packs(); });
  }
  Result<std::vector<std::pair<Uuid, uint64_t>>> pack_sizes() override {
    return plan_.around([&] { return real_.pack_sizes(); });
  }
  Result<std::vector<Uuid>> dropped_packs() override {
    return plan_.around([&] { return real_.dropped_packs(); });
  }
  Result<void> forget_dropped_pack(const Uuid& pack) override {
    return plan_.around([&] { return real_.forget_dropped_pack(pack); });
  }
  Result<Totals> totals() override {
    return plan_.around([&] { return real_.totals(); });
  }
  Result<void> hold_lease(LeaseId lease, Timestamp expires) override {
    return plan_.around([&] { return real_.hold_lease(lease, expires); });
  }
  Result<void> end_lease(LeaseId lease) override {
    return plan_.around([&] { return real_.end_lease(lease); });
  }
  Result<std::optional<Timestamp>> leased_until(Timestamp now) override {
    return plan_.around([&] { return real_.leased_until(now); });
  }
  Result<void> each(const std::function<bool(const BlobRecord&)>& visit) override {
    return plan_.around([&] { return real_.each(visit); });
  }
  Result<uint64_t> reference_changes() override {
    return plan_.around([&] { return real_.reference_changes(); });
  }
  Result<BlobRemoval> remove_unleased(std::span<const Digest> digests, Timestamp now,
                                      uint64_t reference_changes) override {
    return plan_.around([&] { return real_.remove_unleased(digests, now, reference_changes); });
  }
  Result<void> replace_pack(const Uuid& from, const Uuid& to, uint64_t pack_bytes,
                            std::span<const BlobRecord> blobs) override {
    return plan_.around([&] { return real_.replace_pack(from, to, pack_bytes, blobs); });
  }

 private:
  Plan& plan_;
  BlobRecords& real_;
};

class FaultyIdentity final : public IdentityRecords {
 public:
  FaultyIdentity(Plan& plan, IdentityRecords& real) : plan_(plan), real_(real) {}
  Result<DatabaseIdentity> read() override {
    return plan_.around([&] { return real_.read(); });
  }
  Result<Uuid> open() override {
    return plan_.around([&] { return real_.open(); });
  }
  Result<bool> was_opened(const Uuid& token) override {
    return plan_.around([&] { return real_.was_opened(token); });
  }
  Result<void> settle() override {
    return plan_.around([&] { return real_.settle(); });
  }
  Result<void> look_through() override {
    return plan_.around([&] { return real_.look_through(); });
  }

 private:
  Plan& plan_;
  IdentityRecords& real_;
};

}  // namespace

struct FaultInjectingDatabase::Parts {
  explicit Parts(Database& real)
      : executions(plan, real.executions()),
        measures(plan, real.measures()),
        history(plan, real.history()),
        instances(plan, real.instances()),
        blobs(plan, real.blobs()),
        identity(plan, real.identity()) {}

  Plan plan;
  FaultyExecutions executions;
  FaultyMeasures measures;
  FaultyHistory history;
  FaultyInstances instances;
  FaultyBlobs blobs;
  FaultyIdentity identity;
};

FaultInjectingDatabase::FaultInjectingDatabase(Database& real) : parts_(std::make_unique<Parts>(real)) {}
FaultInjectingDatabase::~FaultInjectingDatabase() = default;

void FaultInjectingDatabase::fail_call(uint64_t nth, Error error, When when) {
  parts_->plan.set(nth, 1, {std::move(error), when});
}
void FaultInjectingDatabase::fail_all(Error error) {
  parts_->plan.set(1, UINT64_MAX, {std::move(error), When::before});
}
void FaultInjectingDatabase::heal() { parts_->plan.set(1, 0, {}); }
uint64_t FaultInjectingDatabase::calls() const { return parts_->plan.calls(); }

ExecutionRecords& FaultInjectingDatabase::executions() { return parts_->executions; }
MeasureRecords& FaultInjectingDatabase::measures() { return parts_->measures; }
History& FaultInjectingDatabase::history() { return parts_->history; }
InstanceRecords& FaultInjectingDatabase::instances() { return parts_->instances; }
BlobRecords& FaultInjectingDatabase::blobs() { return parts_->blobs; }
IdentityRecords& FaultInjectingDatabase::identity() { return parts_->identity; }

}  // namespace plz
