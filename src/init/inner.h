// The inner half: first process of the attempt, in its own pid namespace or as a subreaper.
#pragma once

namespace plz::init {

// `plz-init inner`, or the launcher's child once it is in its box; with the descriptors of contract.h. Returns the exit status of the program; how
// the command ended is in the exit record.
int run_inner();

}  // namespace plz::init
