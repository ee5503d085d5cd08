// Brings a database file to the schema that this program knows.
#pragma once

#include "base/result.h"
#include "db/sqlite/connection.h"

namespace plz {

// Each migration is one transaction: a crash leaves an older schema, whole. conflict: the file was
// written by a newer plz; invalid: it is not plz's database at all. Nothing was changed then.
Result<void> bring_up_to_date(Connection& connection);

}  // namespace plz
