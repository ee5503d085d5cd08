// Which database this is. Packs and logs lie beside it as files; these are told which database knows them, so that
// one that is new, a copy from another day or another's is not taken for it.
#pragma once

#include "base/result.h"
#include "base/uuid.h"

namespace plz {

struct DatabaseIdentity {
  Uuid id;               // made with the database; a copy has the same
  bool settled = false;  // the files beside it were told
  bool older = false;    // it had records before databases had ids
};

// Thread-safe.
class IdentityRecords {
 public:
  virtual ~IdentityRecords() = default;
  virtual Result<DatabaseIdentity> read() = 0;
  // Durable. A token that no earlier copy of the database knows.
  virtual Result<Uuid> open() = 0;
  virtual Result<bool> was_opened(const Uuid& token) = 0;
  virtual Result<void> settle() = 0;
  // All of the database, for damage, which is said. Takes as long as reading it.
  virtual Result<void> look_through() = 0;
};

}  // namespace plz
