// Text to words, as shlex.split of Python does it. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace plz {

// invalid: a quotation that is not closed, or a backslash at the end.
Result<std::vector<std::string>> split_shell_words(std::string_view text);

}  // namespace plz
