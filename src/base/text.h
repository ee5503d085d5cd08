// Small functions on text that several layers need.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plz {

std::vector<std::string_view> split(std::string_view text, char separator);  // keeps empty pieces
std::string_view trim(std::string_view text);                                // spaces, tabs, newlines
std::string lower_case(std::string_view text);                               // A to Z only
bool is_valid_utf8(std::string_view text);
// Bytes that are not UTF-8, and control characters, become \xNN: safe for a terminal and for JSON.
std::string printable(std::string_view text);
// "512 bytes", "1.5 KiB", "3.2 GiB".
std::string human_bytes(uint64_t bytes);
std::string base64(std::string_view bytes);
// nullopt unless it is what base64() writes: padded, without blanks.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace plz
