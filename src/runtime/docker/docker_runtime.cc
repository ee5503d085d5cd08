#include "runtime/docker/docker_runtime.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/log.h"
#include "base/threads.h"
#include "init/contract.h"
#include "os/file.h"
#include "runtime/docker/container_outcome.h"

namespace plz {
namespace {

constexpr std::chrono::seconds kFingerprintLasts{60};
constexpr std::chrono::milliseconds kKillPause{1000};  // while the engine is away

std::string with_hint(const Error& error) {
  return error.hint.empty() ? error.message : error.message + " (" + error.hint + ")";
}

// What is handed to containers are directories of this machine.
std::optional<Error> elsewhere(const EngineSettings& settings) {
  const Endpoint& endpoint = settings.endpoint;
  bool is_here = endpoint.kind == Endpoint::Kind::unix_socket || endpoint.host == "localhost" ||
                 endpoint.host == "::1" || endpoint.host.starts_with("127.");
  if (is_here) return std::nullopt;
  return Error{ErrorCode::unavailable,
               fmt::format("the Docker engine at {} ({}) is on another machine", endpoint.to_string(), settings.source),
               "run a plz worker on that machine, or unset DOCKER_HOST"};
}

// "; runtimes nvidia, runc; devices nvidia.com/gpu=0; rootless"
std::string abilities(const EngineInfo& info) {
  std::string words;
  if (!info.runtimes.empty()) words += fmt::format("; runtimes {}", fmt::join(info.runtimes, ", "));
  if (!info.devices.empty()) words += fmt::format("; devices {}", fmt::join(info.devices, ", "));
  if (info.security_options.find("name=rootless") != std::string::npos) words += "; rootless";
  if (info.security_options.find("name=userns") != std::string::npos) words += "; with a user namespace";
  return words;
}

std::string label_of(const ContainerState& container, const char* name) {
  auto label = container.labels.find(name);
  return label == container.labels.end() ? "" : label->second;
}

// What the caller can decide by a refused start: nothing was started, and trying again does not help.
Error refused(Error error) {
  if (error.code != ErrorCode::unavailable) error.code = ErrorCode::invalid;
  return error;
}

}  // namespace

DockerRuntime::DockerRuntime(DockerRuntimeSettings settings, Result<EngineSettings> engine)
    : settings_(std::move(settings)) {
  if (!engine) no_engine_ = std::move(engine).error();
  else if (auto far = elsewhere(*engine)) no_engine_ = std::move(*far);
  else engine_.emplace(std::move(*engine));
}

DockerRuntime::~DockerRuntime() = default;

Result<EngineClient*> DockerRuntime::engine() {
  if (no_engine_) return fail(*no_engine_);
  return &*engine_;
}

RuntimeFingerprint DockerRuntime::fingerprint() {
  {
    std::lock_guard lock(mutex_);
    if (fingerprint_ && std::chrono::steady_clock::now() - probed_at_ < kFingerprintLasts) return *fingerprint_;
  }
  RuntimeFingerprint found = probe();
  std::lock_guard lock(mutex_);
  // An engine that is not there is asked for again each time: that is quick.
  fingerprint_ = found.available ? std::optional(found) : std::nullopt;
  probed_at_ = std::chrono::steady_clock::now();
  return found;
}

RuntimeFingerprint DockerRuntime::probe() {
  RuntimeFingerprint found{.name = "docker"};
  auto client = engine();
  Result<EngineVersion> version = client ? (*client)->ping() : fail(client.error());
  if (!version) {
    found.detail = with_hint(version.error());
    return found;
  }
  found.available = true;
  found.version = version->version;
  found.detail = fmt::format("{}, API {}", version->name, version->api_version);
  return found;
}

RuntimeFingerprint DockerRuntime::full_fingerprint() {
  RuntimeFingerprint found = fingerprint();
  if (!found.available) return found;
  auto client = engine();
  auto info = client ? (*client)->info() : Result<EngineInfo>(fail(client.error()));
  if (!info) {
    log_warning("the Docker engine does not say what it can do: {}", with_hint(info.error()));
    return found;
  }
  found.detail += abilities(*info);
  return found;
}

std::string DockerRuntime::job_path(const AttemptPaths&, std::string_view which) const {
  if (which == "code") return kContainerCodePath;
  return join_path(kContainerJobRoot, which == "configuration" ? "configuration.json" : which);
}

WorkingCopy DockerRuntime::working_copy(const AttemptPaths& paths) const { return {ContainerFiles(paths).code_copy()}; }

ContainerPlaces DockerRuntime::places(const ContainerFiles& files) const {
  return {settings_.plz_init_path, files.attempt(), files.code_copy(), settings_.controller};
}

Result<ImageDetails> DockerRuntime::image(const std::string& id) {
  {
    std::lock_guard lock(mutex_);
    if (auto known = images_.find(id); known != images_.end()) return known->second;
  }
  PLZ_ASSIGN(EngineClient * client, engine());
  PLZ_ASSIGN(auto details, client->inspect_image(id));
  if (!details) return fail(ErrorCode::invalid, "the engine has no image " + id);
  std::lock_guard lock(mutex_);
  if (id == details->id) images_[id] = *details;
  return *details;
}

Result<void> DockerRuntime::start(const LaunchSpec& spec) {
  remove_abandoned();
  ContainerFiles files(spec.paths);
  PLZ_ASSIGN(AttemptPhase phase, recover(spec.paths));
  if (phase != AttemptPhase::not_started) return {};
  PLZ_ASSIGN(auto note, files.read_note());
  if (note && !note->id.empty()) return start_created(files, *note);
  return launch(spec, files);
}

Result<void> DockerRuntime::launch(const LaunchSpec& spec, ContainerFiles& files) {
  PLZ_ASSIGN(ImageDetails details, image(spec.image));
  PLZ_ASSIGN(ContainerPlan plan, plan_container(spec, details, places(files)));
  ContainerNote note{"",
                     plan.name,
                     details.id,
                     spec.attempt_id.to_string(),
                     spec.execution_id.to_string(),
                     plan.log_keeper,
                     plan.stop_signal};
  PLZ_TRY(plan.log_keeper == LogKeeper::plz_init ? files.make(plan.init) : files.make_for_engine_log(spec.code_tree));
  PLZ_TRY(files.write_note(note));
  {
    std::lock_guard lock(mutex_);
    in_hand_.insert(note.attempt);
  }
  auto id = create(note, plan.create_body, plan.platform);
  if (!id) return fail(refused(std::move(id).error()));
  note.id = *id;
  if (auto noted = files.write_note(note); !noted) {
    if (auto removed = remove_container_of(note); !removed) log_warning("{}", removed.error().message);
    return noted;
  }
  return start_created(files, note);
}

Result<std::string> DockerRuntime::create(const ContainerNote& note, const JsonText& body,
                                          const std::string& platform) {
  PLZ_ASSIGN(EngineClient * client, engine());
  auto id = client->create_container(note.name, body, platform);
  if (id || id.error().code != ErrorCode::conflict) return id;
  PLZ_ASSIGN(bool removed, remove_leftover(note));
  return removed ? client->create_container(note.name, body, platform) : id;
}

Result<bool> DockerRuntime::remove_leftover(const ContainerNote& note) {
  PLZ_ASSIGN(EngineClient * client, engine());
  PLZ_ASSIGN(auto there, client->inspect_container(note.name));
  if (!there) return true;
  const std::string attempt = label_of(*there, kLabelAttempt);
  bool is_wanted = attempt != note.attempt && is_in_hand(attempt);
  bool is_over = there->status == ContainerStatus::created || there->status == ContainerStatus::exited ||
                 there->status == ContainerStatus::dead || there->status == ContainerStatus::removing;
  if (!is_ours(*there) || is_wanted || !is_over) return false;
  PLZ_TRY(client->remove_container(there->id));
  return true;
}

bool DockerRuntime::is_ours(const ContainerState& container) const {
  return label_of(container, kLabelController) == settings_.controller;
}

bool DockerRuntime::is_in_hand(const std::string& attempt) {
  std::lock_guard lock(mutex_);
  return !attempt.empty() && in_hand_.contains(attempt);
}

Result<void> DockerRuntime::start_created(ContainerFiles& files, const ContainerNote& note) {
  PLZ_ASSIGN(EngineClient * client, engine());
  if (note.log_keeper == LogKeeper::plz_init) {
    // Open before there is a writer: what plz-init leaves in it when it is killed is not lost.
    PLZ_ASSIGN(UniqueFd pipe, files.open_log_pipe());
    std::lock_guard lock(mutex_);
    pipes_[files.paths().directory] = std::move(pipe);
  }
  auto started = client->start_container(note.id);
  // It may have been started all the same: wait() will see.
  if (started || started.error().code == ErrorCode::unavailable) return {};
  if (auto outcome = outcome_of_refusal(started.error()); outcome && note.log_keeper == LogKeeper::engine)
    return files.write_end(*outcome);
  take_pipe(files.paths());
  if (auto removed = remove_container_of(note); !removed) log_warning("{}", removed.error().message);
  return fail(refused(std::move(started).error()));
}

Result<std::optional<ContainerState>> DockerRuntime::find_container(const ContainerNote& note) {
  PLZ_ASSIGN(EngineClient * client, engine());
  PLZ_ASSIGN(auto found, client->inspect_container(note.id.empty() ? note.name : note.id));
  if (!found || !note.id.empty()) return found;
  // A note of an earlier version does not name its attempt.
  bool is_its_own = note.attempt.empty() || label_of(*found, kLabelAttempt) == note.attempt;
  return is_ours(*found) && is_its_own ? found : std::optional<ContainerState>();
}

Result<void> DockerRuntime::try_to_remove(const ContainerNote& note) {
  PLZ_ASSIGN(EngineClient * client, engine());
  if (!note.id.empty()) return client->remove_container(note.id);
  PLZ_ASSIGN(auto container, find_container(note));
  return container ? client->remove_container(container->id) : Result<void>();
}

Result<void> DockerRuntime::remove_container_of(const ContainerNote& note) {
  auto removed = try_to_remove(note);
  if (removed) return {};
  std::lock_guard lock(mutex_);
  abandoned_.push_back(note);
  return removed;
}

Result<AttemptPhase> DockerRuntime::recover(const AttemptPaths& paths) {
  ContainerFiles files(paths);
  PLZ_ASSIGN(auto note, files.read_note());
  if (!note) return AttemptPhase::not_started;
  PLZ_ASSIGN(auto records, read_attempt_records(paths));
  {
    std::lock_guard lock(mutex_);
    in_hand_.insert(note->attempt);
  }
  if (records.complete()) return AttemptPhase::ended;
  if (note->id.empty()) return AttemptPhase::not_started;
  if (files.has_begun()) return AttemptPhase::running;
  auto container = find_container(*note);
  bool was_never_started = container && *container && (*container)->status == ContainerStatus::created;
  return was_never_started ? AttemptPhase::not_started : AttemptPhase::running;
}

Result<ExitReport> DockerRuntime::wait(const AttemptPaths& paths, std::stop_token stop) {
  ContainerFiles files(paths);
  PLZ_ASSIGN(auto note, files.read_note());
  if (!note) return fail(ErrorCode::not_found, "no attempt was started in " + paths.directory);
  PLZ_TRY(note->log_keeper == LogKeeper::engine ? follow(files, *note, stop) : watch(files, *note, stop));
  PLZ_TRY(give_back(files, *note, stop));
  PLZ_ASSIGN(auto records, read_attempt_records(paths));
  const ExitReport report = exit_report(records, oom_kills(records, *note));
  // Nothing more is asked of its container: its name may be another's.
  std::lock_guard lock(mutex_);
  in_hand_.erase(note->attempt);
  return report;
}

OomKills DockerRuntime::oom_kills(const AttemptRecords& records, const ContainerNote& note) {
  if (!records.exit || records.exit->contains(init::kKeyCgroupOomKills)) return std::nullopt;
  if (exit_report(records, std::nullopt).outcome.signal != SIGKILL) return std::nullopt;
  auto container = find_container(note);
  return container && *container && (*container)->out_of_memory ? OomKills(1) : std::nullopt;
}

Result<void> DockerRuntime::stop(const AttemptPaths& paths, std::chrono::milliseconds grace) {
  ContainerFiles files(paths);
  PLZ_ASSIGN(auto note, files.read_note());
  if (!note) return {};
  PLZ_ASSIGN(auto records, read_attempt_records(paths));
  if (records.complete()) return {};
  const bool is_told = note->log_keeper == LogKeeper::plz_init;
  if (is_told) PLZ_TRY(files.ask_to_stop(grace));
  auto container = find_container(*note);
  if (!container && !is_told) return fail(std::move(container).error());
  if (!container || !*container) return {};
  // A paused one hears nothing.
  if ((*container)->status == ContainerStatus::paused) PLZ_TRY((*engine())->unpause_container((*container)->id));
  return is_told ? Result<void>() : stop_by_engine(files, *note, **container, grace);
}

// Asked once more, about less time, the job is not signalled again.
Result<void> DockerRuntime::stop_by_engine(ContainerFiles& files, const ContainerNote& note,
                                           const ContainerState& container, std::chrono::milliseconds grace) {
  const bool at_once = grace.count() <= 0, was_asked = files.was_asked_to_stop();
  const bool is_new = container.status == ContainerStatus::created;
  // Who starts it looks there first.
  if (is_new) PLZ_TRY(files.ask_to_stop(grace));
  if (at_once || !was_asked) {
    PLZ_ASSIGN(EngineClient * client, engine());
    auto killed = client->kill_container(container.id, at_once ? "KILL" : std::to_string(note.stop_signal));
    if (!killed && killed.error().code != ErrorCode::conflict) return killed;
    PLZ_TRY(files.ask_to_stop(grace));
  }
  if (!at_once || is_new) kill_later(files.paths(), container.id, grace);
  return {};
}

void DockerRuntime::kill_later(const AttemptPaths& paths, std::string id, std::chrono::milliseconds grace) {
  auto started = start_jthread([this, id, grace](const std::stop_token& stop) {
    Result<void> killed;
    for (auto pause = grace; wait_unless_stopped(stop, pause); pause = kKillPause) {
      killed = engine_->kill_container(id, "KILL");
      // One that has ended is a conflict, and no news.
      if (killed || killed.error().code != ErrorCode::unavailable) return;
    }
  });
  if (!started) {
    // Too early is better than never.
    log_warning("the container {} is killed at once: {}", id, started.error().message);
    (void)engine_->kill_container(id, "KILL");
    return;
  }
  std::jthread killer = std::move(*started);
  std::lock_guard lock(mutex_);
  // The one before is joined without the lock.
  std::swap(killers_[paths.directory], killer);
}

Result<void> DockerRuntime::destroy(const AttemptPaths& paths) {
  ContainerFiles files(paths);
  PLZ_ASSIGN(auto note, files.read_note());
  take_pipe(paths);
  std::jthread killer;
  {
    std::lock_guard lock(mutex_);
    std::swap(killers_[paths.directory], killer);
    killers_.erase(paths.directory);
    if (note) in_hand_.erase(note->attempt);
  }
  auto without_container = note ? remove_container_of(*note) : Result<void>();
  PLZ_TRY(remove_tree(files.run()));
  return without_container;
}

void DockerRuntime::remove_abandoned() {
  std::vector<ContainerNote> notes;
  {
    std::lock_guard lock(mutex_);
    notes.swap(abandoned_);
  }
  for (const ContainerNote& note : notes) static_cast<void>(remove_container_of(note));
}

UniqueFd DockerRuntime::take_pipe(const AttemptPaths& paths) {
  std::lock_guard lock(mutex_);
  auto known = pipes_.find(paths.directory);
  if (known == pipes_.end()) return UniqueFd();
  UniqueFd pipe = std::move(known->second);
  pipes_.erase(known);
  return pipe;
}

Result<std::vector<KeptContainer>> DockerRuntime::containers() {
  std::vector<KeptContainer> kept;
  if (!fingerprint().available) return kept;
  PLZ_ASSIGN(EngineClient * client, engine());
  PLZ_ASSIGN(auto listed,
             client->list_containers({{kLabelController, settings_.controller}, {kLabelAttempt, ""}}, true));
  for (const ContainerSummary& container : listed)
    if (auto attempt = AttemptId::parse(container.labels.at(kLabelAttempt)))
      kept.push_back({container.id, container.name, *attempt, container.writable_bytes});
  return kept;
}

Result<void> DockerRuntime::remove_container(const std::string& id) {
  PLZ_ASSIGN(EngineClient * client, engine());
  return client->remove_container(id);
}

}  // namespace plz
