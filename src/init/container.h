// The first process of a container: the inner half, which opens for itself what a launcher hands over
// elsewhere, and carries the log itself. It needs nobody outside.
#pragma once

namespace plz::init {

// `plz-init container DIR`; DIR is the attempt's, as the container has it. Returns the job's status, as a
// shell would have it; how the command ended is in the exit record.
int run_container(const char* attempt_directory);
// `plz-init give-back DIR PATH…`: the paths become those of the owner of DIR.
int run_give_back(const char* attempt_directory, char** paths);

}  // namespace plz::init
