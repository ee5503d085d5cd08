// An attempt's directory, DIR/attempts/ID: what a worker that was killed needs to go on.
//
//   assignment        the name of the runtime, a line break, and the JSON that the controller gave, with
//                     the shell's environment: mode 0600
//   stop              there if its end was asked for: when, in microseconds since the epoch and since the machine
//                     started, and until when it may end by itself, likewise since the machine started
//   unboxed           there if the job is a plain process without having asked for that: why
//   image             of the job's container, once it is there: its id and its digest, a line each
//   engine            that the container is on (container_engines.h); none in a sandbox
//   places            the names of its code, its input and its cache, a line each
//   again             there if it was launched with files that were not what they should be, and is to be launched anew
//   preparation.log   what was printed while that was made ready (model/preparation_line.h)
//   measures.log      what the job measured so far (measure_log.h)
//   configuration.json, output/, measures/   the job's
//   log, log.pipe, init.*, run/              the runtime's (runtime/runtime.h)
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/instance.h"
#include "runtime/runtime.h"

namespace plz {

struct StopRequest {
  Timestamp when;
  // By boot_time(). Earlier versions did not note them: then all of its time is over.
  std::optional<std::chrono::microseconds> when_boot_time;
  std::chrono::microseconds deadline{0};

  std::chrono::milliseconds time_left() const;
};

class AttemptDirectory {
 public:
  explicit AttemptDirectory(std::string path) : paths_{std::move(path)} {}

  const AttemptPaths& paths() const { return paths_; }
  std::string measure_log() const { return paths_.directory + "/measures.log"; }
  std::string preparation_log() const { return paths_.directory + "/preparation.log"; }

  // Makes the directory. On return a later process finds the assignment. A worker killed meanwhile
  // leaves a part, which is refused; so may a crash of the machine, but that ends the attempt anyway.
  // After an error nothing is left of it. `unboxed`: why its job is a plain process, where nobody asked for one.
  Result<void> create(const Assignment& assignment, const std::string& runtime, const std::string& unboxed = "");
  std::string unboxed() const;
  struct Kept {
    std::string runtime;
    Assignment assignment;
  };
  Result<Kept> load() const;
  // What else tells, where the assignment is damaged: enough to wait for the job, and to report its end and what it
  // left; its measures are taken for those of no index.
  Kept without_assignment() const;

  Result<void> note_stop(const StopRequest& stop);
  std::optional<StopRequest> stop_requested() const;

  Result<void> keep_image(const ImageIdentity& image);
  std::optional<ImageIdentity> image() const;

  // The engine's note; "": none.
  Result<void> keep_engine(const std::string& note);
  std::string engine() const;

  // What it has in use of what jobs share. Earlier versions did not note it.
  struct Places {
    std::string code, input, cache;  // "": none
  };
  Result<void> keep_places(const Places& places);
  std::optional<Places> places() const;

  // Whatever came of its launch does not count.
  Result<void> note_again();
  bool is_again() const;
  // Removes what launches and jobs left, so that it can be launched once more.
  Result<void> clear_launch();

  Result<void> remove();

 private:
  AttemptPaths paths_;
};

// Those below `directory`; what is no attempt's is left alone.
std::vector<AttemptDirectory> find_attempt_directories(const std::string& directory);

}  // namespace plz
