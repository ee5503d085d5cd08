// "Did you mean …?": the nearest of some known names.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace plz {

// Levenshtein distance with transpositions of neighbours counted as one edit.
size_t edit_distance(std::string_view a, std::string_view b);

// The known name that is nearest to `name`, if one is near enough to be worth suggesting.
std::optional<std::string> nearest_name(std::string_view name, std::span<const std::string_view> known);

}  // namespace plz
