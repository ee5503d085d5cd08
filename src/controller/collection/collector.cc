#include "controller/collection/collector.h"

#include <condition_variable>
#include <memory>
#include <optional>

#include <fmt/core.h>

#include "base/log.h"
#include "base/threads.h"
#include "controller/collection/sweeper.h"

namespace plz {
namespace {

using std::chrono::milliseconds;

constexpr size_t kExecutionsAtOnce = 1'000;
constexpr milliseconds kBetweenQuestions{50};

class Watching {
 public:
  explicit Watching(ReferenceWatch& watch) : watch_(watch) { watch_.begin(); }
  ~Watching() { watch_.end(); }

 private:
  ReferenceWatch& watch_;
};

Result<void> mark_all(ExecutionRecords& executions, Marker& marker, References& on_workers,
                      const std::stop_token& stop) {
  std::optional<ExecutionId> before;
  for (;;) {
    References references;
    size_t seen = 0;
    PLZ_TRY(executions.each({}, before, kExecutionsAtOnce, [&](const ExecutionRecord& record) {
      add_references(record.execution, references);
      ++seen;
      before = record.execution.id;
      return true;
    }));
    PLZ_TRY(marker.mark(references, stop));
    on_workers.images.merge(references.images);
    on_workers.attempts.merge(references.attempts);
    if (seen < kExecutionsAtOnce) return {};
  }
}

Error damage_met(const std::vector<std::string>& damage, size_t trees) {
  std::string words =
      fmt::format("{} damaged in the store: {}", damage.size() == 1 ? "a blob is" : "blobs are", damage.front());
  if (damage.size() > 1) words += fmt::format(", and {} more", damage.size() - 1);
  if (trees > 0) words += ". Nobody knows what it named, so no blob was removed: plz check says who needs it";
  return Error{ErrorCode::damaged, words, {}};
}

// The answers of workers, as they come; shared with the callbacks, which may come when nobody waits.
struct Answers {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::vector<std::optional<WorkerCollection>> by_instance;  // guarded by mutex

  bool all_here() const {
    for (const auto& answer : by_instance)
      if (!answer) return false;
    return true;
  }
};

}  // namespace

Collector::Collector(Database& database, PackStore& packs, ExecutionService& executions, BlobService& blobs,
                     WorkerService& workers, const Clock& clock, CollectorSettings settings)
    : database_(database),
      packs_(packs),
      executions_(executions),
      blobs_(blobs),
      workers_(workers),
      clock_(clock),
      settings_(settings) {}

Collector::~Collector() { stop(); }

Result<void> Collector::start(const CollectionRequest& request, std::function<void(CollectionReport)> answer) {
  std::lock_guard lock(mutex_);
  if (!asked_.empty() && !request.wait)
    return fail(ErrorCode::conflict, "a collection is under way already", "wait for its end");
  asked_.push_back({request, std::move(answer)});
  if (asked_.size() > 1) return {};
  auto thread = start_jthread([this](const std::stop_token& stop) { serve(stop); });
  if (thread) thread_ = std::move(*thread);
  else asked_.pop_back();
  return thread ? Result<void>() : fail(std::move(thread).error());
}

void Collector::serve(const std::stop_token& stop) {
  for (bool more = true; more;) {
    CollectionRequest request;
    {
      std::lock_guard lock(mutex_);
      request = asked_.front().request;
    }
    CollectionReport report = collect(request, stop);
    std::function<void(CollectionReport)> answer;
    {
      std::lock_guard lock(mutex_);
      answer = std::move(asked_.front().answer);
      asked_.pop_front();
      more = !asked_.empty();
    }
    answer(std::move(report));
  }
}

bool Collector::is_running() const {
  std::lock_guard lock(mutex_);
  return !asked_.empty();
}

void Collector::stop() {
  std::jthread ending;
  {
    std::lock_guard lock(mutex_);
    ending = std::move(thread_);
  }
}

CollectionReport Collector::collect(const CollectionRequest& request, const std::stop_token& stop) {
  CollectionReport report;
  report.dry_run = request.dry_run;
  // Before anything is read: what is missed there is seen here.
  Watching watching(executions_.references());
  References on_workers;
  const AttemptId newer = AttemptId::make(clock_);
  if (auto collected = collect_store(request, stop, report, on_workers); !collected) {
    report.error = collected.error().message;
    log_error("collection: {}", report.error);
    return report;
  }
  if (request.environments || request.caches) collect_on_workers(request, std::move(on_workers), newer, stop, report);
  if (!request.dry_run)
    log_info("collection: {} blobs and {} bytes of the store; {} packs removed, {} written anew", report.blobs,
             report.bytes, report.packs_removed, report.packs_rewritten);
  return report;
}

Result<void> Collector::collect_store(const CollectionRequest& request, const std::stop_token& stop,
                                      CollectionReport& report, References& on_workers) {
  PLZ_ASSIGN(BlobTable table, BlobTable::load(database_.blobs()));
  Marker marker(table, database_.blobs(), packs_);
  PLZ_TRY(mark_all(database_.executions(), marker, on_workers, stop));
  Sweeper sweeper({database_.blobs(), packs_, blobs_, executions_.references(), clock_}, table, marker);
  Swept swept;
  Result<void> result;
  if (request.dry_run) {
    PLZ_ASSIGN(swept, sweeper.foresee());
  } else {
    result = sweeper.sweep(settings_.patience_with_captures, stop, swept);
  }
  report.blobs = swept.blobs;
  report.bytes = swept.bytes;
  report.packs_removed = swept.packs_removed;
  report.packs_rewritten = swept.packs_rewritten;
  report.held_up = swept.held_up;
  if (result && !swept.damage.empty()) return fail(damage_met(swept.damage, marker.damage().size()));
  return result;
}

// One that was just asked for will soon speak.
std::vector<Instance> Collector::present_instances(const std::stop_token& stop) const {
  const SteadyTime deadline = clock_.steady() + settings_.patience_with_starting_workers;
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any never;
  for (;;) {
    auto instances = workers_.instances();
    bool starting = false;
    for (const Instance& instance : instances) starting = starting || instance.state == InstanceState::starting;
    if (!starting || clock_.steady() >= deadline || stop.stop_requested()) return instances;
    never.wait_for(lock, stop, kBetweenQuestions, [] { return false; });
  }
}

void Collector::collect_on_workers(const CollectionRequest& request, References kept, AttemptId newer,
                                   const std::stop_token& stop, CollectionReport& report) {
  CollectionOrder order;
  order.dry_run = request.dry_run;
  order.environments = request.environments;
  order.caches = request.caches;
  const auto instances = present_instances(stop);
  // Only now, since executions have gone on meanwhile; what comes after this moment the workers know themselves.
  order.kept_at = clock_.now();
  kept.images.merge(executions_.references().images());
  order.keep_images.assign(kept.images.begin(), kept.images.end());
  order.outputs_until = newer;
  order.keep_outputs.assign(kept.attempts.begin(), kept.attempts.end());
  auto answers = std::make_shared<Answers>();
  answers->by_instance.resize(instances.size());
  std::vector<std::string> requests;
  for (size_t i = 0; i < instances.size(); ++i) {
    report.instances.push_back({instances[i].id, instances[i].host_name, {}});
    auto ordered = workers_.order_collection(instances[i].id, order, [answers, i](WorkerCollection collection) {
      std::lock_guard lock(answers->mutex);
      answers->by_instance[i] = std::move(collection);
      answers->changed.notify_all();
    });
    if (ordered) {
      requests.push_back(*ordered);
      continue;
    }
    std::lock_guard lock(answers->mutex);
    answers->by_instance[i].emplace().error = ordered.error().message;
  }
  {
    std::unique_lock lock(answers->mutex);
    answers->changed.wait_for(lock, stop, settings_.patience_with_workers, [&] { return answers->all_here(); });
    for (size_t i = 0; i < instances.size(); ++i) {
      WorkerCollection& collection = report.instances[i].collection;
      if (answers->by_instance[i]) collection = *answers->by_instance[i];
      else collection.error = "its worker has not answered";
    }
  }
  for (const std::string& id : requests) workers_.forget_collection(id);
}

}  // namespace plz
