// What a person typed, brought into the one form that the parser takes: shortened long options are
// written out, unknown ones are refused with the nearest name, and the command comes first.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command_line.h"

namespace plz {

struct RewrittenArguments {
  std::string command;                 // empty: none was named
  std::vector<std::string> arguments;  // of the command and global ones, without the command's name
  std::vector<std::string> after_dashes;
};

// `commands` is describe_commands(): its first element holds the global options. Hidden commands
// are those whose names begin with "__": they are known, but never suggested.
Result<RewrittenArguments> rewrite_arguments(const std::vector<std::string>& arguments,
                                             const std::vector<CommandDescription>& commands);

}  // namespace plz
