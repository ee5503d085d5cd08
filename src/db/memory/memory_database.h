// All records in memory: for tests, and the model that the real ones are compared with.
#pragma once

#include <memory>

#include "db/database.h"

namespace plz {

std::unique_ptr<Database> make_memory_database();

}  // namespace plz
