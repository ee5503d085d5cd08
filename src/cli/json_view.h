// Looks into JSON text that is known to be valid (it came from the controller), without changing a
// byte of what it finds.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plz {

// The members of an object, in their order, values as their text; empty for anything else.
std::vector<std::pair<std::string, std::string_view>> json_members(std::string_view text);
// The elements of an array.
std::vector<std::string_view> json_elements(std::string_view text);
// Follows names from object to object: {"measures", "summary"}.
std::optional<std::string_view> json_find(std::string_view text, const std::vector<std::string_view>& path);
// A string's content; any other value as its text.
std::string json_plain(std::string_view text);

bool is_json_object(std::string_view text);

}  // namespace plz
