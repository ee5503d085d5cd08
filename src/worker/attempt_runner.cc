#include "worker/attempt_runner.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <fmt/core.h>

#include "base/log.h"
#include "base/threads.h"
#include "os/boot_time.h"
#include "os/file.h"
#include "worker/file_wait.h"
#include "worker/steps/job_directories.h"
#include "worker/steps/working_files.h"

namespace plz {
namespace {

using std::chrono::milliseconds;

constexpr int kTriesOnThisMachine = 3;
constexpr int kConflictsOfReport = 5;
// The job runs meanwhile; what it prints is not told yet.
constexpr milliseconds kPatienceWithLooks{50};
constexpr size_t kMostExecutionsNamed = 10;

Error ending() { return Error{ErrorCode::cancelled, "the worker is ending", {}}; }

bool ended_before(const ExitReport& exit, const StopRequest& stop) {
  if (exit.ended_boot_time && stop.when_boot_time) return *exit.ended_boot_time < *stop.when_boot_time;
  return exit.ended && *exit.ended < stop.when;
}

void add_note(std::string& reason, const std::string& note) {
  if (note.empty()) return;
  if (!reason.empty()) reason += "; ";
  reason += note;
}

}  // namespace

AttemptRunner::AttemptRunner(AttemptContext& context, Runtime& runtime, Environments* environments,
                             AttemptDirectory directory, Assignment assignment, bool recovered, std::string refusal)
    : context_(context),
      runtime_(runtime),
      environments_(environments),
      directory_(std::move(directory)),
      assignment_(std::move(assignment)),
      refusal_(std::move(refusal)),
      storage_(assignment_.attempt_id, context.connections, context.clock, context.storage_patience),
      preparation_log_(assignment_.attempt_id, AttemptLog::preparation, directory_.preparation_log(), recovered,
                       context.connections, context.clock),
      observer_(assignment_.attempt_id, directory_.paths(), directory_.measure_log(),
                measure_roots(assignment_.spec.indices), context.measure_limits, recovered, preparation_log_,
                context.connections, context.clock),
      looks_(context.trees),
      machine_(assignment_.attempt_id, context.connections, context.clock, context.patience) {
  if (recovered) stop_ = directory_.stop_requested();
}

AttemptRunner::~AttemptRunner() {
  is_ending_ = true;
  if (thread_.joinable()) thread_.request_stop();
}

Result<void> AttemptRunner::start() {
  PLZ_ASSIGN(thread_, start_jthread([this](const std::stop_token& stop) { run(stop); }));
  return {};
}

void AttemptRunner::run(const std::stop_token& stop) {
  auto result = go_through(stop);
  observer_.abandon();
  const bool over = result || discarded_;
  if (!result && !discarded_ && result.error().code != ErrorCode::cancelled)
    log_error("attempt {}: {}", id().to_string(), result.error().message);
  if (over) clean_up();
  done_ = over;
}

Result<void> AttemptRunner::go_through(const std::stop_token& stop) {
  if (discarded_ && !launched_) return fail(ending());
  if (make_directory_) PLZ_TRY(make_directory(stop));
  if (!refusal_.empty()) could_not_start(Error{ErrorCode::invalid, refusal_, {}});
  if (refusal_.empty() && directory_.is_again()) PLZ_TRY(take_launch_back(stop));
  if (refusal_.empty() && !make_directory_ && !launched_) PLZ_TRY(prepare_and_start(stop));
  if (launched_) {
    PLZ_TRY(watch_until_end(stop));
    PLZ_TRY(take_working_files(stop));
    PLZ_TRY(keep_output(stop));
    for (const auto& note : working_file_notes_) report_.outcome.reason += "\n" + note;
  }
  return report_end(stop);
}

// Leaves make_directory_ set, and the report filled, where that cannot be had.
Result<void> AttemptRunner::make_directory(const std::stop_token& stop) {
  std::stop_callback worker_ends(stop, [this] { preparing_.request_stop(); });
  for (;;) {
    auto made = make_directory_();
    if (made) return make_directory_ = nullptr, Result<void>();
    if (machine_.may_try_again(made.error(), preparing_.get_token())) continue;
    if (discarded_ || stop.stop_requested()) return fail(ending());
    if (is_stop_requested()) stopped_before_start();
    else could_not_start(made.error());
    return {};
  }
}

bool AttemptRunner::recover() {
  auto phase = runtime_.recover(directory_.paths());
  // What cannot be told is taken for started: it must not run twice. wait() will say that it is lost.
  if (!phase) log_error("attempt {}: {}", id().to_string(), phase.error().message);
  launched_ = !phase || *phase != AttemptPhase::not_started;
  if (launched_) report_.image = directory_.image();
  was_running_ = phase && *phase == AttemptPhase::running;
  if (report_.image) image_ = context_.image_uses.begin(report_.image->id);
  if (launched_) take_trees_up();
  return launched_ && !directory_.is_again();
}

// What an earlier version launched was not looked at, and is not now.
void AttemptRunner::take_trees_up() {
  const ExecutionSpec& spec = assignment_.spec;
  const auto noted = directory_.places();
  auto places = noted.value_or(AttemptDirectory::Places{});
  if (!noted) places.code = TreeCache::name_of(spec.snapshot.code_tree, TreeUse::code);
  if (!noted && spec.input) places.input = TreeCache::name_of(spec.input->tree, TreeUse::input);
  const std::string execution = assignment_.execution_id.to_string();
  code_ = context_.trees.take_up(places.code, execution);
  input_ = context_.trees.take_up(places.input, execution);
  cache_ = context_.caches.take_up(places.cache, static_cast<bool>(input_));
  if (noted && code_) looks_.begin(code_, input_);
}

// Leaves launched_ false, and the report filled, when the job cannot be started.
Result<void> AttemptRunner::prepare_and_start(const std::stop_token& stop) {
  ImageGate::Pass images_stay;
  if (assignment_.spec.snapshot.environment.uses_container()) images_stay = context_.images.enter();
  for (;;) {
    auto trees = acquire_trees(stop);
    if (!trees && trees.error().code == ErrorCode::cancelled) return fail(std::move(trees).error());
    if (!trees) return could_not_start(trees.error()), Result<void>();
    auto started = [&]() -> Result<void> {
      if (assignment_.spec.snapshot.environment.uses_container()) PLZ_TRY(prepare_image(*trees, stop));
      return launch(*trees, stop);
    }();
    if (discarded_ && !launched_) return fail(ending());
    if (!launched_ && is_stop_requested()) return stopped_before_start(), Result<void>();
    if (!started && stop.stop_requested()) return fail(ending());
    if (is_stop_requested() || !looks_.found_change(kPatienceWithLooks)) {
      if (!started) could_not_start(started.error());
      return {};
    }
    // Nothing of it has been told yet: so it begins again, with what it should have begun with.
    tell_of_change(looks_.finish(), /*is_mended=*/true);
    PLZ_TRY(take_launch_back(stop));
    cache_.spoil();
    release_trees();
  }
}

Result<void> AttemptRunner::take_launch_back(const std::stop_token& stop) {
  PLZ_TRY(directory_.note_again());
  if (launched_) {
    if (auto stopped = runtime_.stop(directory_.paths(), milliseconds(0)); !stopped)
      log_warning("attempt {}: {}", id().to_string(), stopped.error().message);
    auto exit = wait_for_job(stop);
    if (!exit && exit.error().code == ErrorCode::cancelled) return fail(std::move(exit).error());
  }
  PLZ_TRY(runtime_.destroy(directory_.paths()));
  launched_ = false;
  was_running_ = false;
  started_.reset();
  return directory_.clear_launch();
}

void AttemptRunner::tell_of_change(const TreeCache::Look& look, bool is_mended) {
  std::string others;
  for (size_t i = 0; i < look.others.size() && i < kMostExecutionsNamed; ++i)
    others += (i ? ", " : "") + look.others[i];
  if (look.others.size() > kMostExecutionsNamed) others += " and more";
  std::string told =
      fmt::format("{}: this machine's copy was changed ({})",
                  is_mended ? "its files were made again before it ran" : kChangedFilesNote, look.difference);
  if (!others.empty()) told += "; the same copy was used since it was last found good by " + others;
  log_warning("attempt {} of execution {}: {}", id().to_string(), assignment_.execution_id.to_string(), told);
  if (!is_mended) add_note(report_.outcome.reason, told);
  // What a job never saw concerns only others.
  else if (!others.empty()) add_note(note_of_trees_, told);
}

void AttemptRunner::judge_trees() {
  add_note(report_.outcome.reason, note_of_trees_);
  const TreeCache::Look look = looks_.finish();
  if (look.is_good()) return;
  cache_.spoil();
  tell_of_change(look, /*is_mended=*/false);
}

void AttemptRunner::release_trees() {
  looks_.forget();
  cache_.release();
  code_.release();
  input_.release();
}

Result<void> AttemptRunner::prepare_image(const JobTrees& trees, const std::stop_token& stop) {
  if (is_stop_requested()) return {};
  std::stop_callback worker_ends(stop, [this] { preparing_.request_stop(); });
  PreparationLog log(directory_.preparation_log(), preparation_log_, context_.connections);
  PLZ_ASSIGN(report_.image, prepare_environment(assignment_, trees.code, environments_, log, context_.connections,
                                                preparing_.get_token()));
  image_ = context_.image_uses.begin(report_.image->id);
  return directory_.keep_image(*report_.image);
}

// Leaves launched_ false where its end was asked for meanwhile.
Result<void> AttemptRunner::launch(const JobTrees& trees, const std::stop_token& stop) {
  std::stop_callback worker_ends(stop, [this] { preparing_.request_stop(); });
  while (!is_stop_requested()) {
    auto started = try_launch(trees);
    if (started) {
      launched_ = true;
      started_ = context_.clock.now();
      return {};
    }
    if (machine_.may_try_again(started.error(), preparing_.get_token())) continue;
    if (stop.stop_requested()) return fail(ending());
    if (!is_stop_requested()) return started;
  }
  return {};
}

Result<void> AttemptRunner::try_launch(const JobTrees& trees) {
  const AttemptPaths& paths = directory_.paths();
  PLZ_TRY(make_job_directories(paths, assignment_.spec.indices, assignment_.process_attributes.umask));
  PLZ_TRY(write_job_configuration(paths, assignment_.spec, runtime_));
  PLZ_TRY(directory_.keep_places({code_.name(), input_.name(), cache_.name()}));
  LaunchSpec spec = make_launch_spec(paths, assignment_, trees, runtime_, context_.host);
  if (report_.image) spec.image = report_.image->id;
  return runtime_.start(spec);
}

Result<JobTrees> AttemptRunner::acquire_trees(const std::stop_token& stop) {
  std::stop_callback worker_ends(stop, [this] { preparing_.request_stop(); });
  FileWait wait(id(), context_.connections, context_.clock);
  for (;;) {
    const auto blobs = context_.controller.blobs_until(preparing_.get_token());
    WatchedSource source(*blobs);
    auto acquired = acquire_good_trees(source);
    if (acquired) {
      wait.end();
      return JobTrees{code_.path(), input_.path(), cache_.path(), cache_.downloads()};
    }
    if (discarded_ || stop.stop_requested()) return fail(ending());
    if (is_stop_requested()) return JobTrees{};
    const bool again = source.controller_fails()
                           ? wait.may_try_again(acquired.error(), source.received(), preparing_.get_token())
                           : machine_.may_try_again(acquired.error(), preparing_.get_token());
    if (discarded_ || stop.stop_requested()) return fail(ending());
    if (is_stop_requested()) return JobTrees{};
    if (!again) return fail(std::move(acquired).error());
  }
}

Result<void> AttemptRunner::acquire_good_trees(BlobSource& source) {
  const ExecutionSpec& spec = assignment_.spec;
  const std::stop_token stop = preparing_.get_token();
  for (int tries = 1;; ++tries) {
    release_trees();
    PLZ_ASSIGN(code_, context_.trees.acquire(spec.snapshot.code_tree, TreeUse::code, source, stop));
    if (spec.input) {
      PLZ_ASSIGN(input_, context_.trees.acquire(spec.input->tree, TreeUse::input, source, stop));
    }
    PLZ_TRY(acquire_cache(stop));
    for (TreeCache::Hold* hold : {&code_, &input_})
      if (*hold) context_.trees.note_use(*hold, assignment_.execution_id.to_string());
    looks_.begin(code_, input_);
    if (!looks_.found_change(milliseconds(0))) return {};
    tell_of_change(looks_.finish(), /*is_mended=*/true);
    if (tries == kTriesOnThisMachine)
      return fail(ErrorCode::invalid, "somebody keeps changing the copies of its files on this machine");
  }
}

Result<void> AttemptRunner::acquire_cache(const std::stop_token& stop) {
  const ExecutionSpec& spec = assignment_.spec;
  const JobCaches::Use use{spec.user, spec.project, spec.snapshot.code_tree, spec.input ? spec.input->tree : Digest(),
                           code_,     input_};
  if (!spec.snapshot.environment.uses_container()) {
    PLZ_ASSIGN(cache_, context_.caches.acquire(use, stop));
    return {};
  }
  // A container keeps nothing but in volumes.
  const std::string& arguments = spec.docker_run_args.text;
  if (arguments.find("\"volumes\"") != arguments.npos || arguments.find("\"mounts\"") != arguments.npos)
    return context_.caches.set_times_for_volumes(use, stop);
  PLZ_TRY(context_.trees.fix(code_, FileTime::min(), {}, stop));
  if (input_) PLZ_TRY(context_.trees.fix(input_, FileTime::min(), {}, stop));
  return {};
}

void AttemptRunner::could_not_start(const Error& error) {
  report_.outcome.kind = OutcomeKind::could_not_start;
  report_.outcome.reason = error.message;
  if (!error.hint.empty()) report_.outcome.reason += ": " + error.hint;
}

void AttemptRunner::stopped_before_start() {
  report_.outcome = Outcome{OutcomeKind::stopped, {}, {}, false, "stopped before it was started"};
}

Result<void> AttemptRunner::watch_until_end(const std::stop_token& stop) {
  std::optional<AttemptMoment> moment;
  if (started_) moment = AttemptMoment{*started_, report_.image};
  // The worker before may not have told of it; a controller that knows of it keeps the earlier time.
  else if (was_running_) moment = AttemptMoment{context_.clock.now(), report_.image};
  observer_.begin(std::move(moment));
  {
    std::lock_guard lock(mutex_);
    running_ = true;
    if (stop_) signal_stop(stop_->time_left());
  }
  auto exit = wait_for_job(stop);
  {
    std::lock_guard lock(mutex_);
    running_ = false;
  }
  if (!exit && (exit.error().code == ErrorCode::cancelled || discarded_)) return fail(std::move(exit).error());
  if (exit) {
    report_.outcome = outcome_of(*exit);
    if (const std::string why = directory_.unboxed(); !why.empty())
      add_note(report_.outcome.reason, "the job was not boxed: " + why);
    report_.started = exit->started ? exit->started : started_;
    report_.ended = exit->ended;
  } else {
    report_.outcome = Outcome{OutcomeKind::lost, {}, {}, false, exit.error().message};
    report_.started = started_;
  }
  if (discarded_) return fail(ending());
  judge_trees();
  auto last = observer_.end(stop, storage_);
  if (last) report_.measures = std::move(*last);
  else if (last.error().code == ErrorCode::cancelled) return fail(std::move(last).error());
  else log_warning("attempt {}: {}", id().to_string(), last.error().message);
  add_note(report_.outcome.reason, observer_.measures_left_out());
  report_.log_bytes = observer_.log_bytes();
  return {};
}

Result<ExitReport> AttemptRunner::wait_for_job(const std::stop_token& stop) {
  Backoff backoff = context_.connections.backoff();
  for (;;) {
    auto exit = runtime_.wait(directory_.paths(), stop);
    if (exit || exit.error().code != ErrorCode::unavailable || discarded_) return exit;
    // The machine lacks something just now. The job may well run.
    log_warning("attempt {}: {}", id().to_string(), exit.error().message);
    if (!wait_unless_stopped(stop, backoff.next())) return fail(ending());
  }
}

Outcome AttemptRunner::outcome_of(const ExitReport& exit) const {
  Outcome outcome = exit.outcome;
  auto asked = directory_.stop_requested();
  if (asked && !ended_before(exit, *asked) && outcome.kind != OutcomeKind::could_not_start)
    outcome.kind = OutcomeKind::stopped;
  return outcome;
}

// Where its code lies as it was captured; "" where that cannot be had again.
Result<std::string> AttemptRunner::captured_code(const std::stop_token& stop) {
  Backoff backoff = context_.connections.backoff();
  // Of an attempt that was taken up again nobody holds it.
  for (int tries = 0; code_.path().empty() && tries < kTriesOnThisMachine;) {
    WatchedSource source(context_.controller.blobs());
    auto acquired = context_.trees.acquire(assignment_.spec.snapshot.code_tree, TreeUse::code, source);
    if (acquired) code_ = std::move(*acquired);
    else if (!source.controller_fails()) ++tries;
    if (!acquired && !wait_unless_stopped(stop, backoff.next())) return fail(ending());
    if (discarded_) return fail(ending());
  }
  return code_.path();
}

// Before the output is stored: what of the working directory belongs to it lies in it from then on.
Result<void> AttemptRunner::take_working_files(const std::stop_token& stop) {
  const WorkingCopy copy = runtime_.working_copy(directory_.paths());
  if (!has_output(copy.path) || context_.kept_outputs.has(id())) return {};
  PLZ_ASSIGN(const std::string code, captured_code(stop));
  if (code.empty() && !copy.changes_only) {
    working_file_notes_ = {"What the job left in its working directory is not known: its code is not there"};
    return {};
  }
  const AttemptPaths& paths = directory_.paths();
  const auto& indices = assignment_.spec.indices;
  WorkingPlaces places{copy, code, paths.output(), report_.started};
  if (indices) places.output = join_path(places.output, std::to_string(indices->from));
  const WorkingFiles files = plz::take_working_files(places, assignment_.spec.outputs, &is_ending_);
  if (is_ending_ || stop.stop_requested()) return fail(ending());
  working_file_notes_ = working_file_notes(files);
  return {};
}

Result<void> AttemptRunner::keep_output(const std::stop_token& stop) {
  const std::string directory = directory_.paths().output();
  if (context_.kept_outputs.has(id())) return keep_output_here("its output could not be stored"), Result<void>();
  if (has_output(directory) && report_.ended) {
    auto told = context_.connections.call([&](WorkerApi& api) { return api.command_ended(id(), *report_.ended); });
    if (!told) log_debug("attempt {}: {}", id().to_string(), told.error().message);  // the report says it again
  }
  // A worker that comes back takes the same lease up again, and the report of the end ends it.
  output_sink_ = context_.controller.capture_sink(LeaseId(id().uuid()));
  Backoff backoff = context_.connections.backoff();
  for (;;) {
    auto stored = store_output(directory, *output_sink_, &is_ending_);
    if (stored) {
      report_.output_tree = stored->tree;
      report_.output_bytes = stored->bytes;
      add_note(report_.outcome.reason, stored->note);
      keep_log_here();
      return {};
    }
    if (discarded_ || stop.stop_requested()) return fail(ending());
    // What a controller that is there cannot store now, it may store later, but not for ever.
    if (!is_temporary(stored.error().code) || storage_.is_over()) {
      keep_output_here(stored.error().message);
      keep_log_here();
      return {};
    }
    log_warning("attempt {}: output not stored yet: {}", id().to_string(), stored.error().message);
    if (!wait_unless_stopped(stop, backoff.next())) return fail(ending());
  }
}

// Out of the attempt's directory, which will be removed.
void AttemptRunner::keep_output_here(const std::string& why) {
  if (auto taken = context_.kept_outputs.take(id(), directory_.paths().output()); !taken)
    log_error("attempt {}: {}", id().to_string(), taken.error().message);
  report_.outcome.kind = OutcomeKind::output_not_stored;
  add_note(report_.outcome.reason, why);
  add_note(report_.outcome.reason, "it is kept in " + context_.kept_outputs.path_of(id()) + " on its instance");
}

// Where the controller did not take all of it, nor of the measures.
void AttemptRunner::keep_log_here() {
  const bool is_kept = path_exists(context_.kept_outputs.log_path_of(id()));  // by a worker before
  if (observer_.not_taken().empty() && !is_kept) return;
  report_.outcome.kind = OutcomeKind::output_not_stored;
  add_note(report_.outcome.reason, is_kept ? "not all of its log was stored" : observer_.not_taken());
  if (observer_.log_bytes_not_taken() == 0 && !is_kept) return;
  if (auto taken = context_.kept_outputs.take_log(id(), directory_.paths().log()); !taken)
    return log_error("attempt {}: {}", id().to_string(), taken.error().message);
  add_note(report_.outcome.reason, "the whole log is " + context_.kept_outputs.log_path_of(id()) + " on its instance");
}

// Also in front of a job that was over before its start was told.
Result<void> AttemptRunner::send_preparation_log(const std::stop_token& stop) {
  auto sent = preparation_log_.ship_rest(stop, storage_);
  if (sent || sent.error().code == ErrorCode::cancelled) return sent;
  log_warning("attempt {}: what its preparation printed: {}", id().to_string(), sent.error().message);
  return {};
}

Result<void> AttemptRunner::report_end(const std::stop_token& stop) {
  PLZ_TRY(send_preparation_log(stop));
  Backoff backoff = context_.connections.backoff();
  for (int conflicts = 0;;) {
    if (discarded_) return fail(ending());
    auto told = context_.connections.call([&](WorkerApi& api) { return api.finish(id(), report_); });
    if (told) return {};
    const ErrorCode code = told.error().code;
    if (code == ErrorCode::not_found) {
      log_warning("attempt {}: the controller does not know it: {}", id().to_string(), told.error().message);
      return {};
    }
    if (code == ErrorCode::cancelled) return told;
    if (code == ErrorCode::conflict && launched_ && ++conflicts < kConflictsOfReport) {
      PLZ_TRY(observer_.send_log_again(stop, storage_));
      report_.log_bytes = observer_.log_bytes();
      continue;
    }
    if (code == ErrorCode::conflict && report_.output_tree) {
      // The rest of the report is not held up by an output that the store has lost.
      report_.output_tree.reset();
      report_.output_bytes = 0;
      keep_output_here(told.error().message);
      continue;
    }
    if (!is_temporary(code))
      log_error("attempt {}: its report was refused: {}", id().to_string(), told.error().message);
    if (!wait_unless_stopped(stop, backoff.next())) return fail(ending());
  }
}

// After the end was acknowledged, or the attempt discarded.
void AttemptRunner::clean_up() {
  observer_.release();
  output_sink_.reset();
  release_trees();
  image_ = {};
  context_.trees.evict();
  // Also of one that did not start: something may have been made for it.
  if (auto destroyed = runtime_.destroy(directory_.paths()); !destroyed)
    log_warning("attempt {}: {}", id().to_string(), destroyed.error().message);
  if (auto removed = directory_.remove(); !removed) log_warning("{}", removed.error().message);
}

bool AttemptRunner::is_stop_requested() {
  std::lock_guard lock(mutex_);
  return stop_.has_value();
}

void AttemptRunner::stop(milliseconds grace) {
  std::lock_guard lock(mutex_);
  const auto now = boot_time();
  StopRequest request = stop_.value_or(StopRequest{context_.clock.now(), now, now + grace});
  // A second request may shorten the grace, but the first one's time counts.
  request.deadline = std::min<std::chrono::microseconds>(request.deadline, now + grace);
  if (!stop_ || stop_->deadline != request.deadline)
    if (auto noted = directory_.note_stop(request); !noted) log_warning("{}", noted.error().message);
  stop_ = request;
  preparing_.request_stop();
  if (running_) signal_stop(std::min(grace, std::chrono::ceil<milliseconds>(request.deadline - now)));
}

void AttemptRunner::signal_stop(milliseconds grace) {
  auto stopped = runtime_.stop(directory_.paths(), std::max(grace, milliseconds(0)));
  if (stopped) return;
  log_error("attempt {}: cannot be stopped: {}", id().to_string(), stopped.error().message);
  if (stopped.error().code != ErrorCode::unavailable || std::exchange(is_signalling_, true)) return;
  auto signaller = start_jthread([this](const std::stop_token& worker_ends) { signal_stop_later(worker_ends); });
  if (signaller) signaller_ = std::move(*signaller);
  else is_signalling_ = false;  // the next order to stop tries again
}

void AttemptRunner::signal_stop_later(const std::stop_token& worker_ends) {
  Backoff backoff = context_.connections.backoff();
  while (wait_unless_stopped(worker_ends, backoff.next())) {
    milliseconds left;
    {
      std::lock_guard lock(mutex_);
      left = stop_->time_left();
      if (!running_) break;
    }
    auto stopped = runtime_.stop(directory_.paths(), left);
    if (stopped || stopped.error().code != ErrorCode::unavailable) break;
  }
  std::lock_guard lock(mutex_);
  is_signalling_ = false;
}

void AttemptRunner::discard() {
  discarded_ = true;
  stop(milliseconds(0));
}

void AttemptRunner::capture(std::string request_id) {
  ++capturing_;
  auto capture_output = [this, request_id = std::move(request_id)](const std::stop_token& stop) {
    auto sink = context_.controller.capture_sink(LeaseId::make(context_.clock));
    // It may have ended since, with output that could not be stored.
    const bool is_kept = context_.kept_outputs.has(id());
    const std::string output = is_kept ? context_.kept_outputs.path_of(id()) : directory_.paths().output();
    auto stored = store_output(output, *sink, &is_ending_);
    CaptureReport report;
    if (stored) report = {stored->tree, stored->bytes, ""};
    else report.error = stored.error().message;
    auto told = context_.connections.call_until_answered(
        stop, [&](WorkerApi& api) { return api.output_captured(id(), request_id, report); });
    if (!told) log_warning("attempt {}: {}", id().to_string(), told.error().message);
    --capturing_;
  };
  if (auto thread = start_jthread(capture_output)) captures_.push_back(std::move(*thread));
  else capture_output({});
}

}  // namespace plz
