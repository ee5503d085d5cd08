// The circumstances of a run, as far as they can be captured: git, machine, environment, Python.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/process_attributes.h"
#include "base/result.h"
#include "model/digest.h"
#include "model/execution.h"
#include "model/json_text.h"

namespace plz {

struct MetadataSources {
  std::string plz_version;
  std::string working_directory;  // absolute
  std::string context_path;       // absolute; of a rerun, where the code was
  std::vector<std::string> command;
  EnvironmentVariables environment;             // the submitting shell's
  EnvironmentVariables configured;              // Configuration::environment: recorded with values, but for secrets
  std::vector<std::string> recorded_variables;  // patterns of further names to record with values
  std::string home;                             // for ~/.cache where XDG_CACHE_HOME is not set
  bool host_environment = true;                 // false: a container; Python and libraries here tell nothing of the job
  bool shell_reaches_job = true;                // false: a shared controller's jobs do not get this shell's variables
  ProcessAttributes attributes;                 // that the job is given
  // Of a rerun: what was recorded of what runs again. Its code comes from the store, so that the checkout, and an
  // interpreter that is part of the code, are what they were, whatever is in their place now.
  std::optional<JsonText> earlier;
};

// A blob that the metadata refer to by digest: whoever submits sends it to the store first.
struct MetadataBlob {
  Digest digest;
  std::string bytes;
};

struct Metadata {
  JsonText json;  // see docs/metadata.md
  std::vector<MetadataBlob> blobs;
  std::vector<std::string> warnings;  // live code that would shadow what is captured
};

// Collecting never fails: what cannot be found out is left out.
class PendingMetadata {
 public:
  // Starts git, and the interpreter where its inventory is not cached, in the background.
  static PendingMetadata start(MetadataSources sources);
  PendingMetadata(PendingMetadata&&) noexcept;
  PendingMetadata& operator=(PendingMetadata&&) noexcept;
  ~PendingMetadata();  // ends what still runs

  // Waits for both, ten seconds at most. Call once.
  Metadata finish();

 private:
  struct State;
  explicit PendingMetadata(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace plz
