// For tests: logs in to the registry named by its argument, as plz would, and prints what came of it. With a
// number after it, so many times.
#include <cstdlib>

#include <fmt/core.h>

#include "aws/default_credentials.h"
#include "aws/ecr_tokens.h"

int main(int argc, char** argv) {
  using namespace plz;
  Variables variable = [](const char* name) -> std::optional<std::string> {
    const char* value = getenv(name);
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
  SystemClock clock;
  auto credentials = default_aws_credentials(variable, clock);
  EcrTokens tokens(variable, *credentials, clock);
  for (int left = argc > 2 ? atoi(argv[2]) : 1; left > 0 && argc > 1; --left) {
    auto token = tokens.token_for(argv[1]);
    if (!token) {
      fmt::print("{}: {}\n{}\n", to_string(token.error().code), token.error().message, token.error().hint);
      return 1;
    }
    if (!*token) return 2;
    fmt::print("{} {} {}\n", (*token)->username, (*token)->password, format_rfc3339((*token)->expires));
  }
  return 0;
}
