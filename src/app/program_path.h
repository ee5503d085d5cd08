// Where plz's programs lie beside each other.
#pragma once

#include <string>
#include <string_view>

namespace plz {

// The program of this name in the directory of the running one, else in ../libexec/plz, else the bare
// name.
std::string program_beside(std::string_view name);

}  // namespace plz
