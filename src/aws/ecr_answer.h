// What ECR answers, as values. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/ecr_client.h"

namespace plz {

// The body of a 200. unavailable: it is not what the API promises.
Result<EcrToken> read_ecr_token(std::string_view body);

// What was refused, when, and with whose keys.
struct EcrRefusal {
  int status = 0;
  std::string_view body;
  std::optional<std::string_view> error_type;  // of the field X-Amzn-ErrorType
  std::optional<std::string_view> date;        // of the field Date
  Timestamp now;
  std::string region;
  std::string source;  // of the credentials
};
Error ecr_error(const EcrRefusal& refusal);

}  // namespace plz
