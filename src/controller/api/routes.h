// The HTTP API's handlers: each turns a request into a service's call and its result into an answer.
// docs/api lists them.
#pragma once

#include "net/http_types.h"
#include "net/router.h"

namespace plz {

struct ControllerContext;

void add_routes(Router& router, ControllerContext& context);

// Each adds those of one resource.
void add_service_routes(Router& router, ControllerContext& context);
void add_blob_routes(Router& router, ControllerContext& context);
void add_execution_routes(Router& router, ControllerContext& context);
void add_history_routes(Router& router, ControllerContext& context);
void add_instance_routes(Router& router, ControllerContext& context);
void add_collection_routes(Router& router, ControllerContext& context);
void add_event_routes(Router& router, ControllerContext& context);
void add_worker_routes(Router& router, ControllerContext& context);

// Sent by a worker on its own account: does not count as somebody using the controller.
bool is_worker_request(const Request& request);

}  // namespace plz
