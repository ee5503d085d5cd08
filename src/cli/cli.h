// The command line of plz, whole: parses, runs one command, and says how it went.
#pragma once

namespace plz {

// Exit statuses: 0; of run and rerun, the job's own; of verify and diff, 1 for "differs"; 125 when
// one of these four fails itself, 1 when another command does; 2 for a command line that makes no
// sense; 130 after Ctrl-C.
int run_cli(int argc, char** argv);

}  // namespace plz
