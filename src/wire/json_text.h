// Checking and reshaping JSON that plz only carries.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/json_text.h"

namespace plz {

// Checks that `text` is JSON (strictly) and keeps it without the blanks around it. The error says the
// line, the column and what is wrong there.
Result<JsonText> parse_json_text(std::string_view text);
// As above, and it must be an object; `what` names it in the error: "parameters".
Result<JsonText> parse_json_object(std::string_view text, std::string_view what);

// As a job wrote a measure: Python's NaN, Infinity and -Infinity are accepted too. False: not JSON.
bool is_measure_json(std::string_view text);
// The same value as strict JSON on one line: NaN and Infinity become the strings "NaN", "Infinity",
// "-Infinity"; numbers keep their digits.
std::string strict_json(std::string_view measure_text);

// Indented by two, keys in their order, as json.dumps(…, indent=2, ensure_ascii=False) writes it;
// numbers keep their digits. `text` must be valid JSON.
std::string indent_json(std::string_view text);
std::string quote_json(std::string_view text);  // a JSON string; bytes that are not UTF-8 become \xNN text

// Shallow merge of two objects' texts: members of `over` win. Both must be objects.
std::string merge_json_objects(std::string_view base, std::string_view over);

}  // namespace plz
