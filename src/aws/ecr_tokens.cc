#include "aws/ecr_tokens.h"

#include <algorithm>

#include "base/text.h"

namespace plz {
namespace {

using namespace std::chrono_literals;

// A pull may take long, and asks for each layer with the token it began with.
constexpr auto kMargin = 15min;

bool is_label(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool is_account(std::string_view text) {
  return text.size() == 12 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Result<Endpoint> find_endpoint(const Variables& variable, const EcrHost& host) {
  for (const char* name : {"AWS_ENDPOINT_URL_ECR", "AWS_ENDPOINT_URL"}) {
    std::string url = value_of(variable, name);
    if (url.empty()) continue;
    auto endpoint = parse_endpoint(url);
    if (!endpoint) return fail(std::move(endpoint).error().with_context(name));
    return endpoint;
  }
  return Endpoint{.kind = Endpoint::Kind::https, .host = host.api_host, .port = 443};
}

}  // namespace

std::optional<EcrHost> parse_ecr_host(std::string_view host) {
  auto parts = split(host, '.');
  bool china = parts.size() == 7 && parts.back() == "cn";
  if (parts.size() != 6 && !china) return std::nullopt;
  bool fips = parts[2] == "ecr-fips";
  if (!is_account(parts[0]) || parts[1] != "dkr" || !(fips || parts[2] == "ecr") || !is_label(parts[3]) ||
      parts[4] != "amazonaws" || parts[5] != "com")
    return std::nullopt;
  std::string region(parts[3]);
  std::string domain = region + (china ? ".amazonaws.com.cn" : ".amazonaws.com");
  return EcrHost{std::string(parts[0]), region, (fips ? "ecr-fips." : "api.ecr.") + domain};
}

bool EcrTokens::is_usable(const Answer& answer) const {
  if (answer.wait_for(0s) != std::future_status::ready) return true;
  const auto& token = answer.get();
  return token && token->expires - clock_.now() > kMargin;
}

Result<std::optional<EcrToken>> EcrTokens::token_for(std::string_view name) {
  auto host = parse_ecr_host(name);
  if (!host) return std::nullopt;
  std::optional<std::promise<Result<EcrToken>>> promise;
  Answer answer;
  {
    std::lock_guard lock(mutex_);
    auto& kept = answers_[host->api_host];
    if (!kept.valid() || !is_usable(kept)) kept = promise.emplace().get_future().share();
    answer = kept;
  }
  if (promise) promise->set_value(fetch(*host));
  PLZ_ASSIGN(EcrToken token, Result<EcrToken>(answer.get()));
  return token;
}

Result<EcrToken> EcrTokens::fetch(const EcrHost& host) {
  PLZ_ASSIGN(Endpoint endpoint, find_endpoint(variable_, host));
  return EcrClient(std::move(endpoint), host.region, credentials_, clock_).authorization_token();
}

}  // namespace plz
