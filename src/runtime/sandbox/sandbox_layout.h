// What a job sees, as arguments of bubblewrap. Pure but for looking at the host's files.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/runtime.h"

namespace plz {

inline constexpr char kSandboxCodePath[] = "/src";
inline constexpr char kSandboxJobRoot[] = "/plz";  // input, output, measures, configuration.json

// What of the host matters; a test hands in its own.
struct SandboxHost {
  std::string bwrap_path;
  std::string root = "/";       // where the host's top-level directories are listed
  std::string devices = "/dev";
  bool is_root = false;         // the person is root: the job gets a container's usual capabilities
};

// The whole argv, ending in plz-init's inner half. `run_directory` holds the private directories, made
// by make_sandbox_directories. invalid: a path to mount is not there.
Result<std::vector<std::string>> sandbox_arguments(const LaunchSpec& spec, const SandboxHost& host,
                                                   const std::string& run_directory);

// Names below the run directory.
struct SandboxDirectories {
  std::string code, code_upper, code_work, temporary;
  std::string empty_file;
};
SandboxDirectories sandbox_directories(const std::string& run_directory);
Result<void> make_sandbox_directories(const SandboxDirectories& directories);

}  // namespace plz
