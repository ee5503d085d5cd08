// The inner half: first process of the attempt, in its own pid namespace or as a subreaper.
#pragma once

namespace plz::init {

// `plz-init inner`, or the launcher's child once it is in its box; with the descriptors of contract.h. Returns the exit
// status of the program; how the command ended is in the exit record.
int run_inner();
// The same in a container, where this process also carries the log, prepares the code and gives back what
// the job wrote. Returns the job's status, as a shell would have it.
int run_inner_in_container();

}  // namespace plz::init
