// The outer half: starts the sandbox with the inner half in it, and carries the log.
#pragma once

namespace plz::init {

// `plz-init outer DIR`. Run again after it was killed, it takes up the running attempt. Returns the
// exit status of the program.
int run_outer(const char* attempt_directory);

}  // namespace plz::init
