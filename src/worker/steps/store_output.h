// Puts a job's output into the store.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "base/result.h"
#include "model/digest.h"
#include "store/blob_channel.h"

namespace plz {

struct StoredOutput {
  std::optional<Digest> tree;  // none: there is no output, the directory is empty or gone
  uint64_t bytes = 0;
  std::string note;  // what was left out, and why; empty when there is nothing to say
};

bool has_output(const std::string& directory);
// Links into the job's own places (docs/what-a-job-sees.md) become relative. Those that lead out stay links, with a
// note. What cannot be kept (sockets, fifos, devices, unreadable files) is left out with a note. unavailable: trying
// again may help. `cancelled` may become true in another thread.
Result<StoredOutput> store_output(const std::string& directory, BlobSink& sink,
                                  const std::atomic<bool>* cancelled = nullptr);

}  // namespace plz
