// What to run, as the runtime wrote it (contract.h says how).
#pragma once

#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include "init/attributes.h"
#include "init/user.h"

namespace plz::init {

struct CodeSpec {
  const char* source = nullptr;  // null: no code to prepare
  const char* target = nullptr;
  const char* upper = nullptr;  // null: copy, do not try an overlay
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
  AttributeSpec attributes;
  CodeSpec code;
  BoxSpec box;
  bool is_container = false;
  const char* wanted_user = nullptr;  // null: who plz-init is
  std::vector<const char*> groups;
  bool set_home = false;
  int stop_signal = SIGTERM;
  std::vector<const char*> give_back;
  std::optional<JobUser> user;  // once it was found
  std::string storage;
};

// False: unreadable, damaged or of another version; complains.
bool load_spec(int attempt_directory, Spec& spec);

}  // namespace plz::init
