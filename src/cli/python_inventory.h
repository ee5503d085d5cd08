// What an interpreter is and has installed: asked of it once, and kept until something changes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/background_command.h"
#include "model/digest.h"
#include "model/execution.h"

namespace plz {

// Code that the interpreter would import from where it is being worked on.
struct LiveCode {
  std::string name;  // of the distribution; empty: a directory that a .pth file adds to sys.path
  std::string path;  // absolute
  bool operator==(const LiveCode&) const = default;
};

struct PythonInventory {
  std::string version;         // "3.11.2"
  std::string implementation;  // "CPython"
  std::vector<LiveCode> live;
  // {"executable", "implementation", "libraries", "packages": {name: version}, "prefix", "version"}: one text for
  // one state of the interpreter, so that runs share it. `libraries` are those for linear algebra and threads that
  // packages bring along, with their sizes, and where conda's links lead.
  std::string text;
  Digest digest;  // of text
};

class PendingPythonInventory {
 public:
  // `cache_directory` need not exist; empty: no cache. The interpreter is started in `directory` where
  // the cache does not hold an answer, or where a file or directory it depends on (the interpreter,
  // pyvenv.cfg, all of sys.path, .pth files) is no longer what it was.
  static Result<PendingPythonInventory> start(const std::string& interpreter, const EnvironmentVariables& environment,
                                              const std::string& directory, const std::string& cache_directory);

  bool was_cached() const { return cached_.has_value(); }
  // Ten seconds at most. invalid: the interpreter failed, with its last words.
  Result<PythonInventory> finish();

 private:
  std::string cache_path_;  // empty: not cached
  std::optional<PythonInventory> cached_;
  std::optional<BackgroundCommand> python_;
};

// What the interpreter answers, and what the cache holds: lines of "NAME VALUE", an empty line, the text.
struct PythonAnswer {
  PythonInventory inventory;
  std::vector<std::string> depends_on;  // paths
};
std::optional<PythonAnswer> parse_python_answer(std::string_view answer);

}  // namespace plz
