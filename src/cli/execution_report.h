// How executions are told to people and to shells. Pure.
#pragma once

#include <string>
#include <vector>

#include "model/execution.h"

namespace plz {

// plz's own failure, as `docker run` and `env` have it.
inline constexpr int kOwnFailure = 125;

// What `plz run` exits with: the job's own status, 128 plus a signal's number, kOwnFailure where
// the job has none.
int exit_status_of(const Outcome& outcome);

// "Execution succeeded.", "Execution failed with an exit status of 42.", "Execution was killed by
// signal 9 (SIGKILL): probably out of memory".
std::string outcome_sentence(const Outcome& outcome);
// What is to be said beside that, a sentence each: what the output lacks, what is gone with the working directory,
// that the job was not boxed. Not what the sentence says.
std::vector<std::string> outcome_notes(const Outcome& outcome);

// "Running: True", "Success: None", "Exit Status: None", and what is known beyond.
std::vector<std::string> status_lines(const Execution& execution);

// "SIGKILL"; "signal 64" for one without a name.
std::string signal_name(int signal);

// The words before each line that tells of index 3 of a composite, and the directory of its output.
std::string part_directory(int64_t index);  // "parallel-3"
std::string part_prefix(int64_t index);     // "parallel-3#"

}  // namespace plz
