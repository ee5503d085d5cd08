// Values for tests of databases: every field set, so that one that is not stored is noticed.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "db/database.h"

namespace plz {

// A queued execution with the least that it needs.
NewExecution sample_execution(const Clock& clock, const std::string& user = "ada",
                              const std::string& project = "digits");
ExecutionSpec full_spec(const Clock& clock);
Execution finished_execution(Execution execution, const Clock& clock);
Attempt sample_attempt(const Clock& clock, const Execution& execution, uint32_t number = 1);
Instance sample_instance(const Clock& clock);
MeasureEvent sample_event(uint64_t sequence, const std::string& path, const std::string& value,
                          std::optional<int64_t> index = std::nullopt);
Digest sample_digest(uint64_t number);
BlobRecord sample_blob(uint64_t number, const Uuid& pack);

}  // namespace plz
