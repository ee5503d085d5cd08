// From a directory of code and a configuration to a submission: captures code and input, and
// collects the metadata, all at the same time as the controller is found.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/interrupt.h"
#include "cli/patient_blobs.h"
#include "cli/session.h"
#include "wire/execution_json.h"

namespace plz {

// A submission, and the hold on what it names in the store until it is submitted.
struct Prepared {
  Submission submission;
  std::unique_ptr<PatientBlobs> blobs;
};

// Of the code here. `output_template`: where the output will go, absolute, with %e. cancelled after
// an interrupt: then nothing was submitted.
Result<Prepared> prepare_run(Session& session, Interrupt& interrupt, const std::string& output_template);

// Of an earlier execution, again: what it ran is in the store, and the image that it ran in is the one to
// run in, whatever its names mean today. `parameters` replace the recorded
// ones. cancelled after an interrupt.
Result<Prepared> prepare_rerun(Session& session, Interrupt& interrupt, const Execution& earlier,
                               const std::optional<JsonText>& parameters);

// The job's environment as it is submitted: this shell's less PLZ_* and, where it is a
// hook of git's, what names the repository to git: the job is in none.
EnvironmentVariables shell_environment(const EnvironmentVariables& environment);

}  // namespace plz
