// The parts of a composite as one JSON document, streamed: a hundred thousand take no more memory than one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "controller/pipelines/scheduler.h"
#include "controller/pumped_stream.h"
#include "controller/services/execution_service.h"

namespace plz {

struct PartsRequest {
  ExecutionId composite;
  std::optional<int64_t> from_index;  // none: from the first
  size_t limit = SIZE_MAX;
  bool brief = false;  // without what they have from the composite
};

// {"executions": […], "cursor": …}, with a cursor where there may be more than the limit.
std::unique_ptr<Producer> stream_parts(const ExecutionService& executions, const Scheduler& scheduler,
                                       const PartsRequest& request);

}  // namespace plz
