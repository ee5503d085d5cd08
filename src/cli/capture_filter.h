// Which files of the context are captured as code: globs of the configuration, git's ignore rules,
// and directories that hold plz's own output.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/execution.h"
#include "os/trusted_file.h"
#include "store/capture.h"

namespace plz {

struct CaptureFilterSources {
  std::string context_path;                 // absolute
  std::vector<std::string> excluded_paths;  // globs relative to context_path: see glob.h
  std::vector<std::string> included_paths;
  std::optional<bool> exclude_gitignored_files;
  // Where outputs go: templates (%e stands for an execution's id), absolute. Of each, the directory
  // above the first %e is left out, or without a %e the directory itself.
  std::vector<std::string> output_templates;
  std::vector<std::string> output_directories;  // OutputDirectories::below(context_path)
  std::vector<std::string> needed_paths;        // relative: captured whatever is excluded or ignored
  EnvironmentVariables environment;             // that git runs with
  FileTrust trust;                              // for the ignore rules at and above context_path
};

struct CodeFilter {
  std::unique_ptr<CaptureFilter> filter;
  std::vector<std::string> warnings;  // sentences
};

// A path is captured if it is needed, or it or a parent is included; else left out if it or a parent is excluded, is
// ignored by git (tracked or not), is named .git in a git checkout, or holds output. What tools leave beside the code
// (__pycache__ and the like) is left out, too, unless an included pattern has its name.
class PendingCodeFilter {
 public:
  // Starts git in the background where it is needed, and returns.
  static Result<PendingCodeFilter> start(CaptureFilterSources sources);
  PendingCodeFilter(PendingCodeFilter&&) noexcept;
  PendingCodeFilter& operator=(PendingCodeFilter&&) noexcept;
  ~PendingCodeFilter();  // ends git if it still runs

  // Waits for git. Call once. That git failed or is not installed is an error if
  // exclude_gitignored_files is true, and else a warning. invalid: rules that git followed are in a file that is not
  // to be believed (os/trusted_file.h).
  Result<CodeFilter> finish();

 private:
  struct State;
  explicit PendingCodeFilter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace plz
