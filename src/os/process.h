// Child processes, and processes of which only the number is known.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/fd.h"

namespace plz {

struct SpawnOptions {
  std::string program;                   // a path; PATH is not searched
  std::vector<std::string> arguments;    // the first is the name it is called by
  std::vector<std::string> environment;  // NAME=VALUE, all of it
  int stdin_fd = -1;                     // -1: /dev/null
  int stdout_fd = -1;
  int stderr_fd = -1;
  int fourth_fd = -1;        // becomes descriptor 3; -1: there is none
  bool new_session = false;  // survives the caller's terminal
  std::string directory;     // where it starts; empty: where the caller is
};

// Starts a program with default signal dispositions and an empty signal mask, and no descriptors but
// those named: neither plz's own nor what it was itself handed by a shell. The caller reaps it.
Result<pid_t> spawn(const SpawnOptions& options);

// A descriptor that becomes readable when the process ends, or nullopt if there is no such process.
// A process number may be taken by another once the process has been reaped: check what it is
// (a lock it holds) after opening.
Result<std::optional<UniqueFd>> open_process(pid_t pid);

// To the process of such a descriptor, and to no other; one that has ended is success.
Result<void> send_signal(const UniqueFd& process, int number);

// True: `fd` is readable; false: `wake_fd` is, or the time is over. A negative timeout has no end;
// a negative wake_fd is left out.
Result<bool> wait_readable(int fd, int wake_fd, std::chrono::milliseconds timeout);

struct ProcessExit {
  int status = 0;  // exit status, or 128 + signal
  bool signalled = false;
};
// Reaps a child that has ended; nullopt if it still runs, or is no child of this process (any more).
std::optional<ProcessExit> reap(pid_t pid);
struct PipeEnds {
  UniqueFd out, in;  // read from `out` what is written to `in`
};
Result<PipeEnds> make_pipe();

// spawn, wait for the end, reap; the process is killed when the time is over (an error: timeout).
Result<ProcessExit> run_process(const SpawnOptions& options, std::chrono::milliseconds timeout);

// The program of that name in PATH (or at that path), as execvp would find it.
std::optional<std::string> find_program(const std::string& name, const std::string& path);

}  // namespace plz
