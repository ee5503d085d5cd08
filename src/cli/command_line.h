// From argv to plain structs. The one place that knows the syntax of the command line.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "cli/options.h"

namespace plz {

// Asked for with --help, --version, or by saying nothing.
struct HelpText {
  std::string text;
};

// `arguments` without the program's name. Flags and the execution id may stand in any order; long
// options may be shortened as far as one option is meant; -c and -t may stand before or after the
// command. What follows the first "--" belongs to run. invalid: names what is wrong and, where
// there is one, the nearest known name.
Result<std::variant<CommandLine, HelpText>> parse_command_line(const std::vector<std::string>& arguments);

// What there is, for the completion scripts and for the check of the manual.
struct OptionDescription {
  std::string long_name;   // without the dashes
  std::string short_name;  // one letter, or empty
  bool takes_value = false;
  std::string description;
};
struct CommandDescription {
  std::string name;  // empty: the options that every command takes
  std::string description;
  bool takes_execution = false;
  std::vector<OptionDescription> options;
};
std::vector<CommandDescription> describe_commands();

}  // namespace plz
