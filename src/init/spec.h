// What to run, as the runtime wrote it (contract.h says how).
#pragma once

#include <string>
#include <vector>

namespace plz::init {

struct CodeSpec {
  const char* source = nullptr;  // null: no code to prepare
  const char* target = nullptr;
  const char* upper = nullptr;   // null: copy, do not try an overlay
  const char* work = nullptr;
};

enum class BoxStepKind { link, read, read_try, write, device, hide, proc, devices };

struct BoxStep {
  BoxStepKind kind;
  const char* source;  // null where the kind has none
  const char* path;
};

struct BoxSpec {
  const char* root = nullptr;  // null: no box is to be made
  bool network = true;
  std::vector<BoxStep> steps;
};

// Its pointers go into `storage`: neither copied nor moved. The argument vectors end with a null.
struct Spec {
  Spec() = default;
  Spec(const Spec&) = delete;
  Spec& operator=(const Spec&) = delete;

  // Only ever true in process 1: then "every process" is the job, else it is the whole machine.
  bool own_pid_namespace = false;
  std::vector<char*> launch, command, environment;
  std::vector<const char*> cgroups;
  const char* directory = "/";
  CodeSpec code;
  BoxSpec box;
  std::string storage;
};

// False: unreadable, damaged or of another version; complains.
bool load_spec(int attempt_directory, Spec& spec);

}  // namespace plz::init
