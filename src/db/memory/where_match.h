// Whether a document fulfils a condition, as where.h says.
#pragma once

#include <string_view>

#include "model/where.h"

namespace plz {

// A document that is not JSON fulfils none.
bool matches_where(const Where& where, std::string_view document);

}  // namespace plz
