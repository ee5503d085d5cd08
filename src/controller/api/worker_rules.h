// What a worker may tell: within the ranges that are stored and shown, whoever speaks.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "wire/collection_json.h"
#include "wire/worker_api.h"

namespace plz {

// Each: ok, or invalid with the field and its rule.
Result<void> check_registration(const WorkerRegistration& registration);
Result<void> check_moment(const AttemptMoment& moment);
Result<void> check_waiting(const std::string& waiting_for);
Result<void> check_measures(const std::vector<MeasureEvent>& events);
Result<void> check_finish(const FinishReport& report);
Result<void> check_capture(const CaptureReport& report);
Result<void> check_collection(const WorkerCollection& collection);

}  // namespace plz
