// HTTP statuses and what they mean to plz: the one table between them and ErrorCode.
#pragma once

#include <string_view>

#include "base/result.h"

namespace plz {

int http_status(ErrorCode code);
// For any status, also those that plz never sends: a proxy may stand between.
ErrorCode error_code_of_status(int status);
// "Not Found"; "Status" for one that has no name.
std::string_view reason_phrase(int status);

}  // namespace plz
