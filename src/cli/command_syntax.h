// What commands there are, and what options each takes, in CLI11's terms; their help is said here too. For
// command_line.cc alone: everybody else reads plain structs.
#pragma once

#include <map>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/options.h"

namespace plz {

// Everything that CLI11 writes into. Its addresses must not move while an App lives.
struct ParsedOptions {
  GlobalOptions global;
  double ping_timeout_seconds = 10;
  bool version = false;
  std::map<std::string, std::unique_ptr<CommandOptions>> commands;
};

// Not to be moved: the app writes into `parsed`.
struct CommandSyntax {
  CommandSyntax();
  CommandSyntax(const CommandSyntax&) = delete;
  CommandSyntax& operator=(const CommandSyntax&) = delete;

  CLI::App app{"Runs jobs, and remembers them: what ran, on what, and what came of it"};
  ParsedOptions parsed;
};

}  // namespace plz
