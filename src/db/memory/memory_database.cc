#include "db/memory/memory_database.h"

#include <algorithm>

#include "db/memory/memory_blobs.h"
#include "db/memory/memory_executions.h"
#include "db/memory/memory_measures.h"
#include "db/memory/memory_records.h"
#include "db/where_match.h"

namespace plz {
namespace {

class MemoryHistoryCursor final : public HistoryCursor {
 public:
  using Document = std::pair<ExecutionId, std::string>;
  explicit MemoryHistoryCursor(std::vector<Document> documents) : documents_(std::move(documents)) {}
  Result<std::optional<Row>> next() override {
    if (at_ == documents_.size()) return std::nullopt;
    const auto& [id, document] = documents_[at_++];
    return Row{id, document};
  }

 private:
  std::vector<Document> documents_;
  size_t at_ = 0;
};

class MemoryHistory final : public History {
 public:
  explicit MemoryHistory(MemoryRecords& records) : records_(records) {}
  Result<std::unique_ptr<HistoryCursor>> open(const HistoryQuery& query) override {
    std::lock_guard lock(records_.mutex);
    std::vector<MemoryHistoryCursor::Document> found;
    size_t limit = query.limit.value_or(SIZE_MAX);
    for (auto it = records_.executions.rbegin(); it != records_.executions.rend() && found.size() < limit; ++it)
      if (matches(it->second, query)) found.emplace_back(it->first, it->second.document);
    return std::make_unique<MemoryHistoryCursor>(std::move(found));
  }

 private:
  static bool matches(const MemoryExecution& entry, const HistoryQuery& query) {
    const Execution& execution = entry.record.execution;
    return !execution.spec.parent_id && (!query.user || *query.user == execution.spec.user) &&
           (!query.project || *query.project == execution.spec.project) &&
           (!query.before || execution.id < *query.before) &&
           (!query.where || matches_where(*query.where, entry.document));
  }

  MemoryRecords& records_;
};

class MemoryInstances final : public InstanceRecords {
 public:
  explicit MemoryInstances(MemoryRecords& records) : records_(records) {}
  Result<void> save(const Instance& instance, Durability) override {
    std::lock_guard lock(records_.mutex);
    Instance& stored = records_.instances[instance.id] = instance;
    stored.executions.clear();
    return {};
  }
  Result<std::optional<Instance>> find(InstanceId id) override {
    std::lock_guard lock(records_.mutex);
    auto it = records_.instances.find(id);
    if (it == records_.instances.end()) return std::nullopt;
    return it->second;
  }
  Result<std::vector<Instance>> list(bool gone_too) override {
    std::lock_guard lock(records_.mutex);
    std::vector<Instance> found;
    for (const auto& [id, instance] : records_.instances)
      if (gone_too || instance.state != InstanceState::gone) found.push_back(instance);
    return found;
  }

 private:
  MemoryRecords& records_;
};

class MemoryIdentity final : public IdentityRecords {
 public:
  explicit MemoryIdentity(MemoryRecords& records) : records_(records) {}
  Result<DatabaseIdentity> read() override {
    std::lock_guard lock(records_.mutex);
    return records_.identity;
  }
  Result<Uuid> open() override {
    std::lock_guard lock(records_.mutex);
    return records_.openings.emplace_back(Uuid::make_v7(clock_));
  }
  Result<bool> was_opened(const Uuid& token) override {
    std::lock_guard lock(records_.mutex);
    return std::find(records_.openings.begin(), records_.openings.end(), token) != records_.openings.end();
  }
  Result<void> settle() override {
    std::lock_guard lock(records_.mutex);
    records_.identity.settled = true;
    return {};
  }
  Result<void> look_through() override { return {}; }

 private:
  SystemClock clock_;
  MemoryRecords& records_;
};

class MemoryDatabase final : public Database {
 public:
  ExecutionRecords& executions() override { return executions_; }
  MeasureRecords& measures() override { return measures_; }
  History& history() override { return history_; }
  InstanceRecords& instances() override { return instances_; }
  BlobRecords& blobs() override { return blobs_; }
  IdentityRecords& identity() override { return identity_; }

 private:
  MemoryRecords records_;
  MemoryExecutions executions_{records_};
  MemoryMeasures measures_{records_};
  MemoryHistory history_{records_};
  MemoryInstances instances_{records_};
  MemoryBlobs blobs_{records_};
  MemoryIdentity identity_{records_};
};

}  // namespace

std::unique_ptr<Database> make_memory_database() { return std::make_unique<MemoryDatabase>(); }

}  // namespace plz
