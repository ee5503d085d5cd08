#include "runtime/docker/docker_runtime.h"

#include <condition_variable>

#include <fmt/format.h>
#include <unistd.h>

#include "base/log.h"
#include "init/contract.h"
#include "os/file.h"
#include "runtime/docker/container_outcome.h"

namespace plz {
namespace {

constexpr std::chrono::seconds kFingerprintLasts{60};

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
  ContainerNote note{"", plan.name, details.id, plan.log_keeper, plan.stop_signal};
  PLZ_TRY(plan.log_keeper == LogKeeper::plz_init ? files.make(plan.init) : files.make_for_engine_log());
  PLZ_TRY(files.write_note(note));
  auto id = create(plan.name, plan.create_body, plan.platform);
  if (!id) return fail(refused(std::move(id).error()));
  note.id = *id;
  PLZ_TRY(files.write_note(note));
  return start_created(files, note);
}

Result<std::string> DockerRuntime::create(const std::string& name, const JsonText& body, const std::string& platform) {
  PLZ_ASSIGN(EngineClient * client, engine());
  auto id = client->create_container(name, body, platform);
  if (id || id.error().code != ErrorCode::conflict) return id;
  PLZ_ASSIGN(bool removed, remove_leftover(name));
  return removed ? client->create_container(name, body, platform) : id;
}

Result<bool> DockerRuntime::remove_leftover(const std::string& name) {
  PLZ_ASSIGN(EngineClient * client, engine());
  PLZ_ASSIGN(auto there, client->inspect_container(name));
  if (!there) return true;
  auto owner = there->labels.find(kLabelController);
  bool is_ours = owner != there->labels.end() && owner->second == settings_.controller;
  bool is_over = there->status == ContainerStatus::created || there->status == ContainerStatus::exited ||
                 there->status == ContainerStatus::dead || there->status == ContainerStatus::removing;
  if (!is_ours || !is_over) return false;
  PLZ_TRY(client->remove_container(there->id));
  return true;
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
  if (auto removed = client->remove_container(note.id); !removed) log_warning("{}", removed.error().message);
  return fail(refused(std::move(started).error()));
}

Result<std::optional<ContainerState>> DockerRuntime::find_container(const ContainerNote& note) {
  PLZ_ASSIGN(EngineClient * client, engine());
  PLZ_ASSIGN(auto found, client->inspect_container(note.id.empty() ? note.name : note.id));
  if (!found || !note.id.empty()) return found;
  auto owner = found->labels.find(kLabelController);
  bool is_ours = owner != found->labels.end() && owner->second == settings_.controller;
  return is_ours ? found : std::optional<ContainerState>();
}

Result<AttemptPhase> DockerRuntime::recover(const AttemptPaths& paths) {
  ContainerFiles files(paths);
  PLZ_ASSIGN(auto note, files.read_note());
  if (!note) return AttemptPhase::not_started;
  PLZ_ASSIGN(auto records, read_attempt_records(paths));
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
  give_back(files, *note);
  PLZ_ASSIGN(auto records, read_attempt_records(paths));
  return exit_report(records, std::nullopt);
}

Result<void> DockerRuntime::stop(const AttemptPaths& paths, std::chrono::milliseconds grace) {
  ContainerFiles files(paths);
  PLZ_ASSIGN(auto note, files.read_note());
  if (!note) return {};
  PLZ_ASSIGN(auto records, read_attempt_records(paths));
  if (records.complete()) return {};
  if (note->log_keeper == LogKeeper::plz_init) PLZ_TRY(files.ask_to_stop(grace));
  auto container = find_container(*note);
  if (!container || !*container) return {};
  const std::string& id = (*container)->id;
  // A paused one hears nothing.
  if ((*container)->status == ContainerStatus::paused) PLZ_TRY((*engine())->unpause_container(id));
  if (note->log_keeper == LogKeeper::plz_init) return {};
  bool at_once = grace.count() <= 0;
  auto killed = (*engine())->kill_container(id, at_once ? "KILL" : std::to_string(note->stop_signal));
  if (!killed && killed.error().code != ErrorCode::conflict) return killed;
  if (!at_once) kill_later(id, grace);
  return {};
}

void DockerRuntime::kill_later(std::string id, std::chrono::milliseconds grace) {
  std::lock_guard lock(mutex_);
  killers_.emplace_back([this, id = std::move(id), grace](std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any over;
    std::unique_lock waiting(mutex);
    over.wait_for(waiting, stop, grace, [] { return false; });
    // One that has ended is a conflict, and no news.
    if (!stop.stop_requested()) static_cast<void>(engine_->kill_container(id, "KILL"));
  });
}

Result<void> DockerRuntime::destroy(const AttemptPaths& paths) {
  ContainerFiles files(paths);
  PLZ_ASSIGN(auto note, files.read_note());
  take_pipe(paths);
  Result<void> without_container;
  if (note) {
    auto container = find_container(*note);
    if (!container) without_container = fail(container.error());
    else if (*container) without_container = (*engine())->remove_container((*container)->id);
    if (!without_container && !note->id.empty()) {
      std::lock_guard lock(mutex_);
      abandoned_.push_back(note->id);
    }
  }
  PLZ_TRY(remove_tree(files.run()));
  return without_container;
}

void DockerRuntime::remove_abandoned() {
  std::vector<std::string> ids;
  {
    std::lock_guard lock(mutex_);
    ids.swap(abandoned_);
  }
  for (const std::string& id : ids) {
    if (engine_->remove_container(id)) continue;
    std::lock_guard lock(mutex_);
    abandoned_.push_back(id);
  }
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
