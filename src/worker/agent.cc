#include "worker/agent.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include <fmt/core.h>

#include "base/log.h"
#include "base/text.h"
#include "base/threads.h"
#include "os/file.h"
#include "worker/attempt_runner.h"
#include "worker/collection.h"
#include "worker/runtime_choice.h"

namespace plz {
namespace {

// Asked to end when idle, it looks this often whether it is.
constexpr std::chrono::seconds kPollWhileEnding{1};

}  // namespace

struct Agent::State {
  State(AgentSettings given, ControllerAccess& controller, std::vector<Runtime*> runtimes, const Clock& clock,
        Environments* environments);

  Result<void> prepare();
  void find_instance_id();
  void keep_instance_id();
  void end_instance();
  void recover_attempts();
  void serve(const std::stop_token& stop);

  Result<void> register_once();
  void forget(const std::vector<AttemptId>& attempts);
  void poll_once();
  void start(AttemptRunner* runner);
  void take(Assignment assignment);
  void follow(WorkerOrders orders);
  AttemptRunner* find(AttemptId id);
  void add(std::unique_ptr<AttemptRunner> runner);
  void collect(CollectionOrder order);
  void capture_kept(CaptureOrder order);
  bool is_in_hand(AttemptId id);

  // What an assignment runs with, and why it cannot run, if so.
  struct Place {
    Runtime* runtime = nullptr;
    Environments* environments = nullptr;
    std::string engine;  // its note
    std::string refusal = {};
    std::string unboxed = {};  // see RuntimeChoice
  };
  Place place_for(const Assignment& assignment);
  Place place_again(const AttemptDirectory& directory, const AttemptDirectory::Kept& kept);
  Place place_on(const ContainerEngine& engine);
  RuntimeChoice runtime_for(const ExecutionSpec& spec);
  Runtime& runtime_named(const std::string& name);
  std::vector<ContainerEngine> known_engines();
  void reap();
  void tidy_up();
  void evict_images();
  void describe_runtimes();
  bool has_given_up() const;
  std::string path(std::string_view name) const { return join_path(settings.directory, name); }

  AgentSettings settings;
  std::vector<Runtime*> runtimes;
  const Clock& clock;
  Connections connections;
  TreeCache trees;
  JobCaches caches;
  KeptOutputs kept_outputs;
  AttemptContext context;
  std::vector<RuntimeFingerprint> fingerprints;
  std::optional<InstanceId> instance;
  std::map<AttemptId, std::unique_ptr<AttemptRunner>> attempts;
  std::vector<AttemptRunner*> to_start_when_registered, to_start_later;
  bool is_registered = false;
  bool is_away = false;
  bool is_ending = false;
  bool is_tidy = true;
  bool is_described = false;
  bool has_used_images = false;
  SteadyTime last_contact;
  Environments* environments;
  ContainerKeeper* containers = nullptr;
  ContainerEngines* engines = nullptr;
  std::mutex in_hand_mutex;
  std::set<AttemptId> in_hand;  // guarded by in_hand_mutex: the keys of `attempts`, for other threads
  std::atomic<bool> is_stopping{false};
  std::jthread collecting, tidying, capturing;  // after all that they use
};

Agent::State::State(AgentSettings given, ControllerAccess& controller, std::vector<Runtime*> all, const Clock& c,
                    Environments* own_environments)
    : settings(std::move(given)),
      runtimes(std::move(all)),
      clock(c),
      connections(controller, clock, settings.backoff),
      trees(join_path(settings.directory, "cache/trees"),
            settings.cache_limit_bytes ? settings.cache_limit_bytes : default_cache_limit(settings.directory),
            current_boot_id(), settings.tree_limits),
      caches(join_path(settings.directory, "home_caches"), current_boot_id(), trees),
      kept_outputs(join_path(settings.directory, "kept_output")),
      context{controller, connections, trees, caches, clock, {}, kept_outputs},
      environments(own_environments) {
  settings.hidden_paths.push_back(settings.directory);
  context.host = {settings.capacity, settings.hidden_paths, settings.paths_of_plz};
  context.patience = settings.patience;
  context.storage_patience = settings.storage_patience;
  context.measure_limits = settings.measure_limits;
}

Agent::Agent(AgentSettings settings, ControllerAccess& controller, std::vector<Runtime*> runtimes, const Clock& clock,
             Environments* environments)
    : state_(new State(std::move(settings), controller, std::move(runtimes), clock, environments)) {}
Agent::~Agent() = default;

void Agent::collect_from(ContainerKeeper& containers) { state_->containers = &containers; }
void Agent::use_engines(ContainerEngines& engines) { state_->engines = &engines; }

Result<void> Agent::run(std::stop_token stop) {
  std::stop_callback cancel(stop, [this] { state_->connections.cancel_all(); });
  PLZ_TRY(state_->prepare());
  state_->recover_attempts();
  state_->find_instance_id();
  state_->serve(stop);
  state_->connections.cancel_all();
  state_->is_stopping = true;
  state_->capturing = {};
  state_->collecting = {};
  state_->tidying = {};
  state_->attempts.clear();
  return {};
}

Result<void> Agent::State::prepare() {
  PLZ_TRY(make_directories(path("attempts"), 0700));
  PLZ_TRY(trees.load());
  for (Runtime* runtime : runtimes) fingerprints.push_back(runtime->fingerprint());
  last_contact = clock.steady();
  return {};
}

// What an earlier one kept may be the id of an instance that was killed since.
void Agent::State::find_instance_id() {
  instance = settings.instance_id;
  if (!instance) instance = InstanceId::parse(trim(read_file(path("instance")).value_or("")));
}

void Agent::State::keep_instance_id() {
  const std::string content = instance->to_string() + "\n";
  if (read_file(path("instance")).value_or("") == content) return;
  auto kept = write_file_atomically(path("instance"), content, 0600, Sync::yes);
  if (!kept) log_warning("{}", kept.error().message);
}

// The controller has ended this instance: whoever is started here later is another one.
void Agent::State::end_instance() {
  log_info("the controller has ended this instance");
  if (unlink(path("instance").c_str()) != 0 && errno != ENOENT)
    log_warning("{}", errno_error(errno, "cannot remove " + path("instance")).message);
}

void Agent::State::recover_attempts() {
  std::vector<AttemptRunner*> launched;
  for (auto& directory : find_attempt_directories(path("attempts"))) {
    auto kept = directory.load();
    const bool is_whole = kept.has_value();
    if (!is_whole) {
      log_warning("{}", kept.error().message);
      kept = directory.without_assignment();
    }
    const Place place = place_again(directory, *kept);
    auto runner = std::make_unique<AttemptRunner>(context, *place.runtime, place.environments, directory,
                                                  std::move(kept->assignment), true);
    AttemptRunner* recovered = runner.get();
    const bool was_started = recovered->recover();
    if (!is_whole && !was_started) {
      // Killed before it was written: the controller gives it out again.
      if (auto removed = directory.remove(); !removed) log_warning("{}", removed.error().message);
      continue;
    }
    add(std::move(runner));
    if (was_started) launched.push_back(recovered);
    else to_start_when_registered.push_back(recovered);  // it may be given to somebody else by now
  }
  // Only when all hold what they use: what one ends with removes what nobody does.
  for (AttemptRunner* runner : launched) start(runner);
}

void Agent::State::serve(const std::stop_token& stop) {
  Backoff backoff(clock, settings.backoff);
  while (!stop.stop_requested()) {
    reap();
    if (is_ending && attempts.empty()) return end_instance();
    if (has_given_up()) {
      log_info("no controller and no job for {} s: ending", settings.give_up_after.count() / 1000);
      return;
    }
    if (!is_registered) {
      if (auto registered = register_once(); !registered) {
        if (!std::exchange(is_away, true)) log_warning("cannot register, trying on: {}", registered.error().message);
        if (!wait_unless_stopped(stop, backoff.next())) return;
        continue;
      }
      backoff.reset();
    }
    poll_once();
    for (AttemptRunner* runner : std::exchange(to_start_later, {})) start(runner);
  }
}

Result<void> Agent::State::register_once() {
  WorkerRegistration registration{instance, settings.version, settings.host_name, settings.capacity, fingerprints, {}};
  for (const auto& [id, runner] : attempts)
    if (!runner->is_done()) registration.attempts.push_back(id);
  PLZ_ASSIGN(auto answer, connections.call([&](WorkerApi& api) { return api.register_worker(registration); }));
  last_contact = clock.steady();
  is_registered = true;
  is_away = false;
  instance = answer.instance_id;
  keep_instance_id();
  forget(answer.forget);
  for (AttemptRunner* runner : std::exchange(to_start_when_registered, {})) start(runner);
  return {};
}

void Agent::State::forget(const std::vector<AttemptId>& ids) {
  for (AttemptId id : ids) {
    AttemptRunner* runner = find(id);
    if (!runner) continue;
    log_info("attempt {}: the controller wants no more of it", id.to_string());
    runner->discard();
  }
}

void Agent::State::poll_once() {
  auto wait = is_ending ? kPollWhileEnding : settings.poll;
  auto orders = connections.call([&](WorkerApi& api) { return api.poll(*instance, wait); });
  if (!orders) {
    // Orders may have been lost on their way. Registering tells both sides what the other has.
    is_registered = false;
    return;
  }
  last_contact = clock.steady();
  const bool idle = orders->assignments.empty() && attempts.empty();
  follow(std::move(*orders));
  if (!idle) return;
  for (const ContainerEngine& engine : known_engines())
    if (engine.containers) engine.containers->remove_abandoned();
  tidy_up();
  describe_runtimes();
}

// What runtimes say of themselves in full costs the machine a while, so it is asked for once nothing else
// is to be done; the controller learns it by another registration.
void Agent::State::describe_runtimes() {
  if (std::exchange(is_described, true)) return;
  auto told = fingerprints;
  for (size_t i = 0; i < runtimes.size(); ++i) fingerprints[i] = runtimes[i]->full_fingerprint();
  if (fingerprints != told) is_registered = false;
}

void Agent::State::follow(WorkerOrders orders) {
  for (auto& assignment : orders.assignments) take(std::move(assignment));
  for (const auto& stop : orders.stops)
    if (AttemptRunner* runner = find(stop.attempt_id)) runner->stop(std::chrono::milliseconds(stop.grace_milliseconds));
  for (const auto& capture : orders.captures)
    if (AttemptRunner* runner = find(capture.attempt_id); runner && !runner->is_done())
      runner->capture(capture.request_id);
    else capture_kept(capture);
  for (auto& collection : orders.collections) collect(std::move(collection));
  is_ending = is_ending || orders.shut_down;
}

// Of an attempt that has ended, and whose output could not be stored then. One after the other.
void Agent::State::capture_kept(CaptureOrder order) {
  const auto before = std::make_shared<std::jthread>(std::move(capturing));
  const auto capture_it = [this, order = std::move(order), before](const std::stop_token& stop) {
    if (before->joinable()) before->join();
    CaptureReport report;
    if (!kept_outputs.has(order.attempt_id)) {
      report.error = "it is not kept on its instance any more";
    } else {
      auto sink = context.controller.capture_sink(LeaseId::make(clock));
      auto stored = store_output(kept_outputs.path_of(order.attempt_id), *sink, &is_stopping);
      if (stored) report = {stored->tree, stored->bytes, ""};
      else report.error = stored.error().message;
    }
    auto told = connections.call_until_answered(
        stop, [&](WorkerApi& api) { return api.output_captured(order.attempt_id, order.request_id, report); });
    if (!told) log_warning("attempt {}: {}", order.attempt_id.to_string(), told.error().message);
  };
  if (auto thread = start_jthread(capture_it)) capturing = std::move(*thread);
  else capture_it({});
}

// On a thread of its own: an engine takes its time. One after the other.
void Agent::State::collect(CollectionOrder order) {
  auto before = std::make_shared<std::jthread>(std::move(collecting));
  auto collect_for = [this, to = *instance, order = std::move(order), before](const std::stop_token& stop) {
    if (before->joinable()) before->join();
    const CollectionSources sources{trees,           context.images, context.image_uses,
                                    known_engines(), kept_outputs,   [this](AttemptId id) { return is_in_hand(id); }};
    const WorkerCollection collection = collect_here(order, sources);
    auto told = connections.call_until_answered(
        stop, [&](WorkerApi& api) { return api.collected(to, order.request_id, collection); });
    if (!told) log_warning("the answer to a collection was not taken: {}", told.error().message);
  };
  if (auto thread = start_jthread(collect_for)) collecting = std::move(*thread);
  else collect_for({});
}

bool Agent::State::is_in_hand(AttemptId id) {
  std::lock_guard lock(in_hand_mutex);
  return in_hand.contains(id);
}

void Agent::State::take(Assignment assignment) {
  const AttemptId id = assignment.attempt_id;
  if (find(id)) return;  // told twice
  is_tidy = false;
  has_used_images = has_used_images || assignment.spec.snapshot.environment.uses_container();
  Place place = place_for(assignment);
  AttemptDirectory directory(join_path(path("attempts"), id.to_string()));
  auto make = [directory, assignment, name = place.runtime->fingerprint().name, unboxed = place.unboxed,
               engine = place.engine]() mutable -> Result<void> {
    PLZ_TRY(directory.create(assignment, name, unboxed));
    return engine.empty() ? Result<void>() : directory.keep_engine(engine);
  };
  AttemptRunner::MakeDirectory to_make;
  auto made = make();
  if (!made && made.error().code == ErrorCode::unavailable)
    to_make = [directory, make = std::move(make)]() mutable -> Result<void> {
      PLZ_TRY(directory.remove());  // there may be a part of it
      return make();
    };
  else if (!made && place.refusal.empty()) place.refusal = made.error().message;
  add(std::make_unique<AttemptRunner>(context, *place.runtime, place.environments, directory, std::move(assignment),
                                      false, std::move(place.refusal)));
  if (to_make) find(id)->make_first(std::move(to_make));
  start(find(id));
}

// Where there is no thread for it, the attempt waits for one.
void Agent::State::start(AttemptRunner* runner) {
  auto started = runner->start();
  if (started) return;
  log_warning("attempt {} waits: {}", runner->id().to_string(), started.error().message);
  to_start_later.push_back(runner);
}

AttemptRunner* Agent::State::find(AttemptId id) {
  auto found = attempts.find(id);
  return found == attempts.end() ? nullptr : found->second.get();
}

void Agent::State::add(std::unique_ptr<AttemptRunner> runner) {
  const AttemptId id = runner->id();
  {
    std::lock_guard lock(in_hand_mutex);
    in_hand.insert(id);
  }
  attempts[id] = std::move(runner);
}

Agent::State::Place Agent::State::place_for(const Assignment& assignment) {
  if (engines && assignment.spec.snapshot.environment.uses_container())
    return place_on(engines->of_shell(assignment.shell_environment));
  RuntimeChoice choice = runtime_for(assignment.spec);
  return {runtimes[choice.index], environments, "", std::move(choice.refusal), std::move(choice.unboxed)};
}

Agent::State::Place Agent::State::place_on(const ContainerEngine& engine) {
  Place place{engine.runtime, engine.environments, engine.note};
  const RuntimeFingerprint found = engine.runtime->fingerprint();
  if (!found.available)
    place.refusal = fmt::format("no runtime of this worker can run the job: {}: {}", found.name, found.detail);
  return place;
}

// The engine on which an earlier process started it, whatever is configured by now.
Agent::State::Place Agent::State::place_again(const AttemptDirectory& directory, const AttemptDirectory::Kept& kept) {
  Runtime& runtime = runtime_named(kept.runtime);
  if (!engines || runtime.fingerprint().name != "docker") return {&runtime, environments, ""};
  const ContainerEngine engine = engines->noted(directory.engine(), kept.assignment.shell_environment);
  return {engine.runtime, engine.environments, engine.note};
}

std::vector<ContainerEngine> Agent::State::known_engines() {
  if (engines) return engines->known();
  return {{"", "", nullptr, environments, containers}};
}

RuntimeChoice Agent::State::runtime_for(const ExecutionSpec& spec) {
  for (size_t i = 0; i < runtimes.size(); ++i) {
    if (fingerprints[i].available || !is_runtime_for(spec, fingerprints[i])) continue;
    // An engine may have been started since.
    fingerprints[i] = runtimes[i]->fingerprint();
    is_described = false;
  }
  return choose_runtime(spec, fingerprints, settings.is_root);
}

Runtime& Agent::State::runtime_named(const std::string& name) {
  for (size_t i = 0; i < runtimes.size(); ++i)
    if (fingerprints[i].name == name) return *runtimes[i];
  return *runtimes.front();
}

void Agent::State::reap() {
  std::erase_if(attempts, [this](const auto& entry) {
    const bool done = entry.second->is_done();
    std::lock_guard lock(in_hand_mutex);
    if (done) in_hand.erase(entry.first);
    return done;
  });
}

// When there is nothing to do. On a thread of its own: a disk takes its time, and an order may come meanwhile.
void Agent::State::tidy_up() {
  if (std::exchange(is_tidy, true)) return;
  const bool with_images = std::exchange(has_used_images, false);
  auto before = std::make_shared<std::jthread>(std::move(tidying));
  auto thread = start_jthread([this, with_images, before](const std::stop_token&) {
    if (before->joinable()) before->join();
    trees.evict();
    if (auto synced = trees.sync(); !synced) log_warning("{}", synced.error().message);
    if (with_images) evict_images();
    malloc_trim(0);
  });
  if (thread) tidying = std::move(*thread);
  else tidying = std::move(*before);
}

void Agent::State::evict_images() {
  for (const ContainerEngine& engine : known_engines()) {
    if (!engine.environments) continue;
    if (auto evicted = engine.environments->evict(); !evicted) log_warning("images: {}", evicted.error().message);
  }
}

bool Agent::State::has_given_up() const {
  return settings.give_up_after.count() > 0 && attempts.empty() &&
         clock.steady() - last_contact > settings.give_up_after;
}

}  // namespace plz
