// The version of this plz, and how two of them compare.
#pragma once

#include <string_view>

namespace plz {

std::string_view plz_version();

// By their numbers: "0.2.0" is older than "0.10.0". What is no number counts as 0.
bool is_older_version(std::string_view a, std::string_view b);

}  // namespace plz
