// Whether a condition of `plz history --where` asks for what there is. A path below parameters or
// measures is a job's own affair; the first name of a path is plz's.
#pragma once

#include <string>
#include <vector>

#include "model/where.h"

namespace plz {

// A sentence for each first name that no execution has, with the nearest one that they have.
std::vector<std::string> unknown_names_in(const Where& where);

}  // namespace plz
