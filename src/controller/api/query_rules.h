// What the query of a request may hold, whatever the request: "?user=ada&limit=3".
#pragma once

#include "base/result.h"
#include "net/http_types.h"

namespace plz {

// invalid: there are too many parameters, or one is too long; names it and the rule. What a parameter means is for its
// request's handler.
Result<void> check_query(const Target& target);

}  // namespace plz
