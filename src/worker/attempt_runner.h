// One attempt, from its assignment to the acknowledged report of its end, on a thread of its own:
//
//   trees → environment → start → (watched by AttemptObserver) wait → send the rest → store output → report → remove
//
// Whatever it has done is found on disk by a later process, which goes on from there. When the worker
// ends, or dies, the job lives on.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/patience.h"
#include "worker/attempt_directory.h"
#include "worker/attempt_observer.h"
#include "worker/connections.h"
#include "worker/image_gate.h"
#include "worker/image_uses.h"
#include "worker/job_caches.h"
#include "worker/kept_outputs.h"
#include "worker/machine_wait.h"
#include "worker/steps/launch_spec.h"
#include "worker/steps/measure_limits.h"
#include "worker/steps/prepare_environment.h"
#include "worker/steps/store_output.h"
#include "worker/steps/tree_looks.h"
#include "worker/storage_patience.h"
#include "worker/tree_cache.h"

namespace plz {

// What all attempts of a worker share. Everything in it outlives them and is thread-safe.
struct AttemptContext {
  ControllerAccess& controller;
  Connections& connections;
  TreeCache& trees;
  JobCaches& caches;
  const Clock& clock;
  JobHost host;
  KeptOutputs& kept_outputs;  // where output goes that cannot be stored
  std::chrono::milliseconds patience = kPatienceWithMachine;
  std::chrono::milliseconds storage_patience = kPatienceWithStorage;
  MeasureLimits measure_limits = {};  // of each attempt
  ImageGate images = {};
  ImageUses image_uses{clock};
};

// Its calls are for one thread, the agent's.
class AttemptRunner {
 public:
  // `environments`: of the engine that its container is to be on; null: there is none.
  // `recovered`: its directory is there already, from an earlier process. `refusal`: why it cannot run
  // here; it is then only reported.
  AttemptRunner(AttemptContext& context, Runtime& runtime, Environments* environments, AttemptDirectory directory,
                Assignment assignment, bool recovered, std::string refusal = {});
  // Stops watching and reporting; the job lives on.
  ~AttemptRunner();

  // Before start(): its directory could not be made yet, and is made by this.
  using MakeDirectory = std::function<Result<void>()>;
  void make_first(MakeDirectory make) { make_directory_ = std::move(make); }

  AttemptId id() const { return assignment_.attempt_id; }
  // Of a recovered one, before start(): whether its job was started already.
  bool recover();
  // unavailable: there is no thread for it just now.
  Result<void> start();
  // Asks the job to end; its outcome will be `stopped`.
  void stop(std::chrono::milliseconds grace);
  // Captures the output so far and tells the controller, on a thread of its own.
  void capture(std::string request_id);
  // The controller wants nothing more of it: the job is killed and all of it removed, with no report.
  void discard();
  // Over, with nothing left to do: it can be destroyed without waiting.
  bool is_done() const { return done_ && capturing_ == 0; }

 private:
  void run(const std::stop_token& stop);
  Result<void> go_through(const std::stop_token& stop);
  // The steps.
  Result<void> make_directory(const std::stop_token& stop);
  Result<void> prepare_and_start(const std::stop_token& stop);
  Result<JobTrees> acquire_trees(const std::stop_token& stop);
  Result<void> acquire_good_trees(BlobSource& source);
  Result<void> acquire_cache(const std::stop_token& stop);
  void take_trees_up();
  Result<void> take_launch_back(const std::stop_token& stop);
  void release_trees();
  Result<void> prepare_image(const JobTrees& trees, const std::stop_token& stop);
  Result<void> launch(const JobTrees& trees, const std::stop_token& stop);
  Result<void> try_launch(const JobTrees& trees);
  Result<void> watch_until_end(const std::stop_token& stop);
  Result<ExitReport> wait_for_job(const std::stop_token& stop);
  Result<void> take_working_files(const std::stop_token& stop);
  Result<void> keep_output(const std::stop_token& stop);
  Result<void> report_end(const std::stop_token& stop);
  void clean_up();

  Result<std::string> captured_code(const std::stop_token& stop);
  void keep_output_here(const std::string& why);
  void keep_log_here();

  void tell_of_change(const TreeCache::Look& look, bool is_mended);
  void judge_trees();
  void could_not_start(const Error& error);
  void stopped_before_start();
  Result<void> send_preparation_log(const std::stop_token& stop);
  Outcome outcome_of(const ExitReport& exit) const;
  bool is_stop_requested();
  void signal_stop(std::chrono::milliseconds grace);
  void signal_stop_later(const std::stop_token& worker_ends);

  AttemptContext& context_;
  Runtime& runtime_;
  Environments* const environments_;
  AttemptDirectory directory_;
  const Assignment assignment_;
  const std::string refusal_;
  MakeDirectory make_directory_;
  StoragePatience storage_;
  LogShipper preparation_log_;
  AttemptObserver observer_;
  TreeCache::Hold code_, input_;
  JobCaches::Hold cache_;
  TreeLooks looks_;
  MachineWait machine_;
  std::string note_of_trees_;  // what had to be made again before the job could run with it
  ImageUses::Use image_;
  std::unique_ptr<BlobSink> output_sink_;  // its lease lives until the end was acknowledged
  FinishReport report_;
  std::vector<std::string> working_file_notes_;
  bool launched_ = false;
  std::optional<Timestamp> started_;
  bool was_running_ = false;    // when it was recovered
  std::stop_source preparing_;  // its files and its image are not to be waited for any more

  std::mutex mutex_;
  bool running_ = false;             // guarded by mutex_, as what follows: the runtime can be told to stop it
  std::optional<StopRequest> stop_;  // once its end was asked for
  bool is_signalling_ = false;       // by the thread signaller_, since the runtime could not at once
  std::atomic<bool> discarded_{false};
  std::atomic<bool> done_{false};
  std::atomic<int> capturing_{0};
  std::atomic<bool> is_ending_ = false;  // ends a capture of output that is under way
  std::vector<std::jthread> captures_;
  std::jthread thread_;
  std::jthread signaller_;
};

}  // namespace plz
