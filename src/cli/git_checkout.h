// What the git program says about a directory. Each question runs in the background, and is about the repository that
// the directory is in, whichever git's own variables name (git_environment.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/background_command.h"
#include "model/execution.h"

namespace plz {

// The nearest directory at or above `directory` that holds a .git, without running git.
std::optional<std::string> find_git_checkout(const std::string& directory);

struct GitIgnored {
  // Relative to the directory asked about, without a final slash, in no order. A directory stands for
  // all that is in it.
  std::vector<std::string> paths;
  bool directory_itself = false;  // the directory lies in an ignored one
};

class PendingGitIgnored {
 public:
  // `checkout` is find_git_checkout(directory). not_found: git is not installed. The checkout's
  // submodules are asked too, each by its own rules.
  static Result<PendingGitIgnored> start(const std::string& directory, const std::string& checkout,
                                         const EnvironmentVariables& environment);
  // invalid: git refused, with git's words.
  Result<GitIgnored> finish();

 private:
  struct Question {
    std::string prefix;  // of the answers' paths: empty, or "submodule/"
    BackgroundCommand git;
  };
  Result<void> look_closer(GitIgnored& ignored) const;

  std::string directory_;
  EnvironmentVariables environment_;
  std::vector<Question> questions_;
};

struct GitState {
  std::string commit;  // empty: there is none yet
  std::string branch;  // empty: detached
  bool dirty = false;  // a tracked file differs from the commit
  bool untracked_files = false;
};

class PendingGitState {
 public:
  static Result<PendingGitState> start(const std::string& directory, const EnvironmentVariables& environment);
  Result<GitState> finish();

 private:
  explicit PendingGitState(BackgroundCommand git) : git_(std::move(git)) {}
  BackgroundCommand git_;
};

// git status --porcelain=v2 --branch -z
GitState parse_git_status(std::string_view output);
// git ls-files -z --directory. Names a directory that git lists only because all in it is ignored by
// its parts, not itself: it is dropped.
GitIgnored parse_git_ignored(std::string_view output);
// The paths in a .gitmodules file.
std::vector<std::string> parse_git_modules(std::string_view text);

}  // namespace plz
