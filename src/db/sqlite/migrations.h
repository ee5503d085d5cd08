// The texts of migrations/*.sql, put in at build time by embed_migrations.cmake.
#pragma once

#include <string_view>
#include <vector>

namespace plz {

// Number i leads from schema i to schema i + 1.
const std::vector<std::string_view>& migrations();

}  // namespace plz
