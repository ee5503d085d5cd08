#include "base/version.h"

#include <array>
#include <charconv>

#include "base/text.h"

namespace plz {
namespace {

std::array<int, 3> numbers(std::string_view version) {
  std::array<int, 3> all{};
  size_t i = 0;
  for (std::string_view part : split(version, '.')) {
    if (i == all.size()) break;
    std::from_chars(part.data(), part.data() + part.size(), all[i++]);
  }
  return all;
}

}  // namespace

std::string_view plz_version() { return PLZ_VERSION; }

bool is_older_version(std::string_view a, std::string_view b) { return numbers(a) < numbers(b); }

}  // namespace plz
