// Whatever bytes stand in a Dockerfile, a .dockerignore or a credentials file, reading them ends well; and what
// is ignored without exceptions stays so below.
#include <cstdint>
#include <cstdlib>

#include "environment/build/dockerfile.h"
#include "environment/build/ignore_rules.h"
#include "environment/login/docker_config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace plz;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& instruction : parse_dockerfile(text)) (void)dockerfile_words(instruction.rest);
  auto rules = IgnoreRules::parse(text);
  if (rules && !rules->may_include_again() && rules->ignores("a/b") && !rules->ignores("a/b/c")) abort();
  (void)parse_docker_config(text);
  return 0;
}
