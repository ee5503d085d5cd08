// Environment variables, read through a function: a test has its own.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace plz {

// nullopt: not set.
using Variables = std::function<std::optional<std::string>(const char* name)>;

// "" where it is not set.
inline std::string value_of(const Variables& variable, const char* name) { return variable(name).value_or(""); }

}  // namespace plz
