// What a field of a request may hold: each check is ok, or `invalid` with the field's name, the rule, and what
// there was in its place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/snapshot.h"

namespace plz {

// Integers that every reader of JSON takes exactly: 2^53 - 1.
inline constexpr uint64_t kMostWhole = (uint64_t{1} << 53) - 1;

// Not empty, UTF-8, without control characters.
Result<void> check_printable(std::string_view field, std::string_view text, size_t most_bytes);
// Any bytes but NUL, which ends a text for the kernel.
Result<void> check_text(std::string_view field, std::string_view text, size_t most_bytes);
Result<void> check_texts(std::string_view field, const std::vector<std::string>& texts, size_t most,
                         size_t most_bytes_each, size_t most_bytes);
Result<void> check_count(std::string_view field, size_t count, size_t most);
Result<void> check_whole(std::string_view field, uint64_t value, uint64_t most = kMostWhole);
Result<void> check_whole(std::string_view field, int64_t value, int64_t least, int64_t most);
// Above 0; finite.
Result<void> check_positive(std::string_view field, double value, double most);
Result<void> check_image(std::string_view field, const ImageIdentity& image);

}  // namespace plz
