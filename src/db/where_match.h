// Whether a document of the history fulfils a condition: one reading for all databases, which looks at
// the document's own text, so that numbers are compared as they were written.
#pragma once

#include <string_view>

#include "model/where.h"

namespace plz {

// One pass over the document, and one more over each part that a path leads into. Text that is not JSON
// fulfils nothing. Of members with one name the last counts, as for most readers of JSON.
bool matches_where(const Where& where, std::string_view document);

}  // namespace plz
