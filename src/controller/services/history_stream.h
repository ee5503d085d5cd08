// History as one JSON object (id → document) or as lines, streamed row by row.
#pragma once

#include <memory>

#include "base/result.h"
#include "controller/pumped_stream.h"
#include "controller/services/execution_service.h"
#include "db/history.h"

namespace plz {

enum class HistoryFormat { json_object, json_lines };

// The documents of unfinished executions are made as they are now.
Result<std::unique_ptr<Producer>> stream_history(History& history, ExecutionService& executions,
                                                 const HistoryQuery& query, HistoryFormat format);

}  // namespace plz
