// What a job sees, as steps to build it. Pure but for looking at the host's files.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/init_spec.h"
#include "runtime/runtime.h"

namespace plz {

inline constexpr char kSandboxCodePath[] = "/src";
inline constexpr char kSandboxJobRoot[] = "/plz";  // input, output, measures, configuration.json

// Names below the run directory.
struct SandboxDirectories {
  std::string code, code_upper, code_work, temporary;
  std::string empty_file;
  std::string root;  // to mount the sandbox's root on
};
SandboxDirectories sandbox_directories(const std::string& run_directory);
Result<void> make_sandbox_directories(const SandboxDirectories& directories);

// Where the host's own directories are; a test hands in others.
struct SandboxHost {
  std::string root = "/";
  std::string devices = "/dev";
};

// invalid: a path to mount is not there.
Result<std::vector<BoxStep>> plan_sandbox(const LaunchSpec& spec, const SandboxHost& host,
                                          const SandboxDirectories& directories);

}  // namespace plz
