// JSON that plz carries and does not look into, as the text it came in. Whoever makes one has
// checked that it is valid (wire/json_text.h); it is stored and shown exactly.
#pragma once

#include <string>

namespace plz {

struct JsonText {
  std::string text = "null";
  bool operator==(const JsonText&) const = default;
};

}  // namespace plz
