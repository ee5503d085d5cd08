#include "controller/api/query_rules.h"

#include <fmt/core.h>

#include "base/text.h"
#include "controller/api/field_rules.h"

namespace plz {
namespace {

constexpr size_t kMostParameters = 32;
constexpr size_t kMostBytesOfAName = 64;
constexpr size_t kMostBytes = 256;

struct Limit {
  std::string_view name;
  size_t bytes;
};
constexpr Limit kLimits[] = {
    {"where", 16'384}, {"user", 1'024}, {"project", 1'024}, {"prefix", 8'192}, {"path", 8'192}};

size_t most_bytes_of(std::string_view name) {
  for (const Limit& limit : kLimits)
    if (limit.name == name) return limit.bytes;
  return kMostBytes;
}

}  // namespace

Result<void> check_query(const Target& target) {
  if (target.query.size() > kMostParameters)
    return fail(ErrorCode::invalid,
                fmt::format("a query has at most {} parameters, not {}", kMostParameters, target.query.size()));
  for (const auto& [name, value] : target.query) {
    if (name.size() > kMostBytesOfAName)
      return fail(ErrorCode::invalid, fmt::format("?{}…= is a name of more than {} bytes",
                                                  printable(name.substr(0, 20)), kMostBytesOfAName));
    if (value.size() > most_bytes_of(name))
      return fail(ErrorCode::invalid,
                  fmt::format("?{}= has at most {} bytes, not {}", printable(name), most_bytes_of(name), value.size()));
    if ((name == "user" || name == "project") && !value.empty())
      PLZ_TRY(check_printable("?" + name + "=", value, most_bytes_of(name)));
  }
  return {};
}

}  // namespace plz
