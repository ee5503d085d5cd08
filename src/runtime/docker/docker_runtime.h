// Jobs in containers of a Docker engine, or Podman's service, on this machine. plz-init is a container's
// first process and keeps its log and records itself (../../init), so that neither this process nor the
// engine need live while it runs; only where docker_run_args asks for a log driver is the engine's log
// followed instead. See docs/decisions, "plz-init is a container's first process".
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "engine/engine_client.h"
#include "runtime/container_keeper.h"
#include "runtime/docker/container_files.h"
#include "runtime/runtime.h"

namespace plz {

struct DockerRuntimeSettings {
  std::string plz_init_path;                   // absolute
  std::string controller;                      // whose containers these are: a label
  std::chrono::milliseconds patience{60'000};  // with an engine that is away, for an attempt that has ended
};

class DockerRuntime final : public Runtime, public ContainerKeeper {
 public:
  // An error in the place of settings makes a runtime that is not available.
  DockerRuntime(DockerRuntimeSettings settings, Result<EngineSettings> engine);
  ~DockerRuntime() override;

  // Asks the engine, unless it answered within the last minute: an engine that is started later is found.
  RuntimeFingerprint fingerprint() override;
  // Also the engine's runtimes (what `runtime` may name), the GPUs that it offers by itself, and whether
  // it is rootless.
  RuntimeFingerprint full_fingerprint() override;
  // "code": /src; every other: below /plz.
  std::string job_path(const AttemptPaths& paths, std::string_view which) const override;
  WorkingCopy working_copy(const AttemptPaths& paths) const override;
  Result<void> start(const LaunchSpec& spec) override;
  Result<AttemptPhase> recover(const AttemptPaths& paths) override;
  Result<ExitReport> wait(const AttemptPaths& paths, std::stop_token stop) override;
  Result<void> stop(const AttemptPaths& paths, std::chrono::milliseconds grace) override;
  Result<void> destroy(const AttemptPaths& paths) override;

  // None where the engine does not answer.
  Result<std::vector<KeptContainer>> containers() override;
  Result<void> remove_container(const std::string& id) override;
  void remove_abandoned() override;

 private:
  RuntimeFingerprint probe();
  Result<EngineClient*> engine();
  Result<ImageDetails> image(const std::string& id);

  Result<void> launch(const LaunchSpec& spec, ContainerFiles& files);
  Result<std::string> create(const ContainerNote& note, const JsonText& body, const std::string& platform = "");
  // Removes what an earlier attempt, or an earlier try of this one, left under this name, if it is ours and does not
  // run. False: it stays.
  Result<bool> remove_leftover(const ContainerNote& note);
  bool is_ours(const ContainerState& container) const;
  bool is_in_hand(const std::string& attempt);
  Result<void> start_created(ContainerFiles& files, const ContainerNote& note);
  // nullopt: none. By its id, or while that is not known by its name and our labels.
  Result<std::optional<ContainerState>> find_container(const ContainerNote& note);
  // At once, or else later: an error says that it is still there.
  Result<void> remove_container_of(const ContainerNote& note);
  Result<void> try_to_remove(const ContainerNote& note);
  ContainerPlaces places(const ContainerFiles& files) const;

  Result<void> watch(ContainerFiles& files, const ContainerNote& note, std::stop_token stop);
  // What the engine says of an attempt whose plz-init is not there: true once its end is written.
  Result<bool> look(ContainerFiles& files, const ContainerNote& note, int pipe);
  Result<void> follow(ContainerFiles& files, const ContainerNote& note, std::stop_token stop);
  Result<void> copy_engine_log(ContainerFiles& files, const ContainerNote& note, std::stop_token stop);
  Result<bool> follow_once(ContainerFiles& files, const ContainerNote& note, std::stop_token stop);
  // Whether the kernel killed for lack of memory in it: by plz-init's record, else by the engine's word.
  OomKills oom_kills(const AttemptRecords& records, const ContainerNote& note);
  // Of one whose start got no answer: true once its end is written.
  Result<bool> start_late(ContainerFiles& files, const ContainerNote& note);
  // cancelled: `stop` asked, and it is to be done again.
  Result<void> give_back(const ContainerFiles& files, const ContainerNote& note, std::stop_token stop);
  Result<int> run_give_back(const ContainerFiles& files, const ContainerNote& note, std::stop_token stop);
  Result<void> stop_by_engine(ContainerFiles& files, const ContainerNote& note, const ContainerState& container,
                              std::chrono::milliseconds grace);
  void kill_later(const AttemptPaths& paths, std::string id, std::chrono::milliseconds grace);
  UniqueFd take_pipe(const AttemptPaths& paths);

  const DockerRuntimeSettings settings_;
  std::optional<Error> no_engine_;
  std::optional<EngineClient> engine_;
  std::mutex mutex_;
  // All guarded by mutex_.
  std::optional<RuntimeFingerprint> fingerprint_;
  std::chrono::steady_clock::time_point probed_at_;
  std::map<std::string, ImageDetails> images_;   // by id
  std::map<std::string, UniqueFd> pipes_;        // by attempt directory: from start() to wait()
  std::set<std::string> in_hand_;                // attempts from their start to the end of wait()
  std::vector<ContainerNote> abandoned_;         // whose containers could not be removed yet
  std::map<std::string, std::jthread> killers_;  // by attempt directory
};

}  // namespace plz
