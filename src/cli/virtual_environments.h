// Python's virtual environments among the code.
#pragma once

#include <string>
#include <vector>

namespace plz {

// The names of those directly in `directory`, sorted. Looks at its first kMostEntries alone: it is for a
// warning, and must cost nothing.
std::vector<std::string> find_virtual_environments(const std::string& directory);

inline constexpr int kMostEntries = 1000;

}  // namespace plz
