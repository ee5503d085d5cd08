// A configuration's JSON, parsed strictly and with the place of each key. For the .cc files of the
// configuration only: no JSON object leaves them.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"

namespace plz {

using Json = nlohmann::json;

// From 1. Columns count characters.
struct TextPlace {
  size_t line = 1;
  size_t column = 1;
};
TextPlace place_in(std::string_view text, size_t offset);

// Where each top-level key's name stands.
using KeyPlaces = std::map<std::string, TextPlace, std::less<>>;

// `object` becomes the object that `text` holds. invalid for anything else, for a key given twice,
// and for a depth above 100: "SOURCE:LINE:COLUMN: what is wrong".
Result<void> parse_configuration_json(std::string_view text, std::string_view source, Json& object, KeyPlaces& places);
// One value of any kind, from a flag or the environment; errors as above, without a line.
Result<void> parse_configuration_value(std::string_view text, std::string_view source, Json& value);

// 'the string "abc"', 'the number 1.5', 'a list': what stands there, for errors.
std::string describe_json(const Json& value);

}  // namespace plz
