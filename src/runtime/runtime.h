// What a worker runs a job with. The life of an attempt survives the worker's death: everything that
// `recover` needs lies in the attempt's directory.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/process_attributes.h"
#include "base/result.h"
#include "model/execution.h"
#include "model/instance.h"

namespace plz {

// An attempt's directory, made by the worker before start(). The runtime and plz-init own the files
// `log`, `log.pipe`, `init.*` and the directories `run/`; the rest are the worker's.
struct AttemptPaths {
  std::string directory;
  std::string log() const { return directory + "/log"; }            // the job's stdout and stderr, merged
  std::string output() const { return directory + "/output"; }      // made by the worker, empty
  std::string measures() const { return directory + "/measures"; }  // made by the worker, empty
  std::string configuration() const { return directory + "/configuration.json"; }
};

// Where a job sees LaunchSpec::home_downloads, if it has a home_cache. Links on disk name it: it does not change.
inline constexpr char kJobDownloadsPath[] = "/plz/downloads";

// A directory of the host made visible to the job.
struct BindMount {
  std::string host_path;
  std::string job_path;
  bool writable = false;
};

struct LaunchSpec {
  AttemptId attempt_id;
  ExecutionId execution_id;
  AttemptPaths paths;
  std::vector<std::string> command;        // empty, in a container: the image's own
  EnvironmentVariables environment;        // the whole of it, final; in a container, what is added to the image's
  ProcessAttributes attributes;            // of the job, as far as it can have them; in a container the umask alone
  std::string image;                       // the id of the container's image, which is there; "": no container
  JsonText docker_run_args{"{}"};          // checked by the runtime
  std::string code_tree;                   // a shared checkout that nobody changes; the job gets a private writable
                                           // copy at job_path("code"), with the same modes: keep the write bits
  std::vector<BindMount> mounts;           // input, output, measures, configuration, caches
  std::vector<std::string> hidden_paths;   // plz's own data and sockets: not visible to the job
  std::vector<std::string> visible_paths;  // stay visible read-only even where a hidden or private path covers them
                                           // (project, virtual environments under /tmp)
  std::string home_cache;                  // ~/.cache of the job: writable, kept for its project; may be empty
  std::string home_downloads;              // what links in there lead to, at kJobDownloadsPath; may be empty
  bool network = true;
  Resources resources;
  std::vector<std::string> gpu_ids;
};

// Where the job's private copy of the code lies on this side.
struct WorkingCopy {
  std::string path;           // need not be there
  bool changes_only = false;  // the upper layer of an overlay: what the job has not touched is not in it
};

// How the command ended, from plz-init's records.
struct ExitReport {
  Outcome outcome;  // never stopped: the worker knows about that
  std::optional<Timestamp> started, ended;
  std::optional<std::chrono::microseconds> ended_boot_time;  // the same end by the clock that does not jump
};

enum class AttemptPhase { not_started, running, ended };

// Thread-safe.
class Runtime {
 public:
  virtual ~Runtime() = default;

  virtual RuntimeFingerprint fingerprint() = 0;
  // The same with what takes the machine a while to say: for when no job waits.
  virtual RuntimeFingerprint full_fingerprint() { return fingerprint(); }
  // Paths as the job sees them, for its configuration file, and for LaunchSpec::mounts. `which` is
  // "code", "input", "output", "measures" or "configuration". In a sandbox /src and below /plz; host
  // paths in a plain process, where mounts become links and "output" needs none.
  virtual std::string job_path(const AttemptPaths& paths, std::string_view which) const = 0;
  // The owner of the attempt's directory can read what is in it once wait() has returned.
  virtual WorkingCopy working_copy(const AttemptPaths& paths) const = 0;
  // Returns once plz-init has the attempt in hand: from then on the job lives without the caller.
  // `invalid` or `unavailable`: nothing was started, the words say why; something may have been made, which
  // destroy() removes. After `unavailable` another try may succeed.
  virtual Result<void> start(const LaunchSpec& spec) = 0;
  // After a restart of the worker: what has become of the attempt in this directory; also puts a new
  // outer half of plz-init in place where it had died.
  virtual Result<AttemptPhase> recover(const AttemptPaths& paths) = 0;
  // Blocks until the command has ended and its log is complete on disk; cancelled when `stop` asks.
  virtual Result<ExitReport> wait(const AttemptPaths& paths, std::stop_token stop) = 0;
  // SIGTERM to the job's process group, SIGKILL to all of it after `grace`. Returns at once. Asked once more,
  // for what is left of the time, it does not signal twice. unavailable: the job was not told; ask again.
  virtual Result<void> stop(const AttemptPaths& paths, std::chrono::milliseconds grace) = 0;
  // Removes what the runtime holds outside and inside the attempt's directory (mounts, cgroup,
  // upper layers, a container). After wait(), or a start() that failed.
  virtual Result<void> destroy(const AttemptPaths& paths) = 0;
};

}  // namespace plz
