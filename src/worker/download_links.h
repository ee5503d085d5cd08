// Links from a cache of a project to what all projects of a user share.
#pragma once

#include <string>

#include "base/result.h"

namespace plz {

// Makes the shared directories below `downloads`, and where the cache has nothing of the name, a link to each, as the
// job sees it. Jobs can write to both: no link of theirs is followed.
Result<void> link_downloads(const std::string& cache, const std::string& downloads);

}  // namespace plz
