// The code of a job whose container starts with the job's own command: nobody inside copies it, and whoever
// the container's user is, it is to be the job's own.
#pragma once

#include <string>

#include "base/result.h"

namespace plz {

// Makes `target` a copy of the directory `source`: files, directories, links, times; what the owner may do
// with a file or directory, everybody may. `target` may be there, empty. unavailable: the disk is full.
Result<void> make_open_copy(const std::string& source, const std::string& target);

}  // namespace plz
