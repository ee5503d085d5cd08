// Output that could not be stored, DIR/kept_output/ATTEMPT (and ATTEMPT.log) on the worker's machine: it can be fetched
// from there, and goes with its execution.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/ids.h"

namespace plz {

// Thread-safe.
class KeptOutputs {
 public:
  explicit KeptOutputs(std::string directory) : directory_(std::move(directory)) {}

  std::string path_of(AttemptId id) const;
  bool has(AttemptId id) const;
  // Moves it here, out of an attempt's directory. Where there is none any more, that is no error.
  Result<void> take(AttemptId id, const std::string& output);

  // A log that could not be stored to its end, whole; it goes with the output.
  Result<void> take_log(AttemptId id, const std::string& log);
  std::string log_path_of(AttemptId id) const { return path_of(id) + ".log"; }

  struct Kept {
    AttemptId attempt_id;
    uint64_t bytes = 0;  // of its files, and of its log
  };
  std::vector<Kept> list() const;
  Result<void> remove(AttemptId id);

 private:
  const std::string directory_;
};

}  // namespace plz
