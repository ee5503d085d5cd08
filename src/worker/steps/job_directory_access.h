// Directories that a job had, opened once it has ended.
#pragma once

#include "os/fd.h"

namespace plz {

// `name` below the directory `at` (AT_FDCWD: a path), not through a link. Where its mode keeps its owner out, it gets
// the owner's bits first: a job that took permissions away from itself has not removed what lies there. No descriptor:
// errno says why.
UniqueFd open_job_directory(int at, const char* name);

}  // namespace plz
