#include "cli/monitored_source.h"

#include "base/text.h"

namespace plz {

Result<void> MonitoredSource::fetch(std::span<const Digest> digests, const Receive& receive) {
  PLZ_TRY(check());
  return source_.fetch(digests, [&](size_t index, std::string_view bytes) -> Result<void> {
    PLZ_TRY(check());
    PLZ_TRY(receive(index, bytes));
    tell(bytes.size());
    return {};
  });
}

Result<void> MonitoredSource::check() const {
  if (*cancelled_) return fail(ErrorCode::cancelled, "interrupted");
  return {};
}

void MonitoredSource::tell(uint64_t bytes) { messages_.progress("Retrieved " + human_bytes(fetched_ += bytes)); }

}  // namespace plz
