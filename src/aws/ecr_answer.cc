#include "aws/ecr_answer.h"

#include <time.h>

#include <cmath>
#include <cstdlib>
#include <vector>

#include <fmt/core.h>

#include "base/text.h"
#include "wire/json_reader.h"

namespace plz {
namespace {

struct Authorization {
  std::string token, endpoint;
  double expires = 0;  // seconds since the epoch
};
struct Authorizations {
  std::vector<Authorization> data;
};
struct Refusal {
  std::string type, message;
};

}  // namespace

template <>
struct Shape<Authorization> {
  static void members(auto& json, auto& value) {
    json.required("authorizationToken", value.token);
    json.required("expiresAt", value.expires);
  }
};
template <>
struct Shape<Authorizations> {
  static void members(auto& json, auto& value) { json.required("authorizationData", value.data); }
};
template <>
struct Shape<Refusal> {
  static void members(auto& json, auto& value) {
    json.optional("__type", value.type);
    json.optional("message", value.message);
    json.optional("Message", value.message);
  }
};

namespace {

using namespace std::chrono_literals;

constexpr double kLatestSecond = 253'402'300'799.0;  // the year 9999

// "com.amazon.coral.service#Name:http://…" is Name.
std::string short_name(std::string_view type) {
  type = type.substr(0, type.find(':'));
  return printable(type.substr(type.rfind('#') + 1));
}

Refusal read_refusal(const EcrRefusal& refusal) {
  auto read = read_document<Refusal>(refusal.body);
  Refusal result = read ? *read : Refusal{"", printable(refusal.body.substr(0, 300))};
  if (result.type.empty() && refusal.error_type) result.type = *refusal.error_type;
  result.type = result.type.empty() ? fmt::format("HTTP status {}", refusal.status) : short_name(result.type);
  return result;
}

bool is_passing(int status, std::string_view type) {
  return status >= 500 || status == 429 || type.starts_with("Throttl") || type == "TooManyRequestsException" ||
         type == "RequestLimitExceeded" || type == "ServerException";
}

// How far this machine's clock is ahead of AWS's, where that is too far for a signature.
std::optional<std::chrono::minutes> skew(const EcrRefusal& refusal) {
  tm parts{};
  if (!refusal.date || !strptime(std::string(*refusal.date).c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts))
    return std::nullopt;
  auto there = Timestamp(std::chrono::seconds(timegm(&parts)));
  auto ahead = std::chrono::round<std::chrono::minutes>(refusal.now - there);
  if (std::chrono::abs(ahead) < 5min) return std::nullopt;
  return ahead;
}

std::string hint(const EcrRefusal& refusal, std::string_view type) {
  if (auto ahead = skew(refusal))
    return fmt::format("this machine's clock is {} minutes {} AWS's: set it right", std::chrono::abs(*ahead).count(),
                       *ahead > 0min ? "ahead of" : "behind");
  if (type.starts_with("AccessDenied"))
    return "let whom the keys belong to do ecr:GetAuthorizationToken; they come from " + refusal.source;
  if (type.starts_with("ExpiredToken")) return "get new credentials: those of " + refusal.source + " have run out";
  if (type == "UnrecognizedClientException" || type == "InvalidSignatureException" || type == "InvalidClientTokenId")
    return "look at " + refusal.source + ": the access key, its secret, and the session token that temporary ones have";
  return "";
}

}  // namespace

Result<EcrToken> read_ecr_token(std::string_view body) {
  auto read = read_document<Authorizations>(body);
  if (!read) return fail(ErrorCode::unavailable, "ECR's answer cannot be read: " + read.error().message);
  if (read->data.empty()) return fail(ErrorCode::unavailable, "ECR's answer has no token");
  const Authorization& first = read->data.front();
  auto text = base64_decode(first.token);
  size_t colon = text ? text->find(':') : std::string::npos;
  if (colon == std::string::npos || !(first.expires > 0 && first.expires < kLatestSecond))
    return fail(ErrorCode::unavailable, "ECR's answer has a token that cannot be read");
  return EcrToken{text->substr(0, colon), text->substr(colon + 1),
                  Timestamp(std::chrono::seconds(static_cast<int64_t>(first.expires)))};
}

Error ecr_error(const EcrRefusal& refusal) {
  Refusal said = read_refusal(refusal);
  ErrorCode code = is_passing(refusal.status, said.type) ? ErrorCode::unavailable : ErrorCode::invalid;
  std::string message = fmt::format("ECR in {} gives no token: {}", printable(refusal.region), said.type);
  if (!said.message.empty()) message += ": " + printable(said.message);
  return Error{code, std::move(message), hint(refusal, said.type)};
}

}  // namespace plz
