// Errors as problem details (RFC 9457), and back.
#pragma once

#include <string_view>

#include "base/result.h"
#include "net/http_client.h"
#include "net/http_types.h"

namespace plz {

// application/problem+json: type, title, status, code, detail (the message), hint and request_id.
// Bytes that are not UTF-8 are escaped. A 503 says with Retry-After that it passes.
Response problem_response(const Error& error, std::string_view request_id);
// With another status than the code's own, for errors of HTTP itself: 405, 408, 431.
Response problem_response(int status, const Error& error, std::string_view request_id);

// What a response of another status than 2xx says, also when it is not a problem: a proxy's page, or
// nothing at all.
Error error_from_response(const ClientResponse& response);

}  // namespace plz
