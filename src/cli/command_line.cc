#include "cli/command_line.h"

#include <algorithm>
#include <cctype>

#include <fmt/core.h>

#include "base/version.h"
#include "cli/argument_rewriter.h"
#include "cli/command_syntax.h"

namespace plz {
namespace {

OptionDescription describe(const CLI::Option& option) {
  OptionDescription described;
  if (!option.get_lnames().empty()) described.long_name = option.get_lnames().front();
  if (!option.get_snames().empty()) described.short_name = option.get_snames().front();
  described.takes_value = option.get_items_expected_max() > 0;
  described.description = option.get_description();
  return described;
}

CommandDescription describe(const CLI::App& app, bool top) {
  CommandDescription described;
  described.name = top ? "" : app.get_name();
  described.description = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) described.takes_execution = true;
    else if (top || option->get_lnames() != std::vector<std::string>{"help"})
      described.options.push_back(describe(*option));
  }
  return described;
}

std::vector<CommandDescription> describe(CLI::App& app) {
  std::vector<CommandDescription> all{describe(app, true)};
  for (const CLI::App* command : app.get_subcommands({})) all.push_back(describe(*command, false));
  return all;
}

bool contains(const std::vector<std::string>& arguments, std::string_view wanted, std::string_view short_form = {}) {
  for (const auto& argument : arguments)
    if (argument == wanted || (!short_form.empty() && argument == short_form)) return true;
  return false;
}

// "`plz diff FIRST SECOND`"
std::string usage_of(const CLI::App& command) {
  std::string usage = "`plz " + command.get_name();
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional()) continue;
    std::string name = option->get_name(true);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
    usage += fmt::format(" {}", option->get_required() ? name : "[" + name + "]");
  }
  return usage + "`";
}

Error as_error(const CLI::ParseError& error, const CLI::App& command) {
  // What a value should be is said by who reads it; whether there are as many as there must be, here.
  std::string message = error.what();
  if (dynamic_cast<const CLI::RequiredError*>(&error))
    message = fmt::format("a word is missing: {}", usage_of(command));
  else if (dynamic_cast<const CLI::ExtrasError*>(&error))
    message = fmt::format("there is a word too many: {}", usage_of(command));
  return Error{ErrorCode::invalid, message, fmt::format("see `plz {} --help`", command.get_name())};
}

}  // namespace

Result<std::variant<CommandLine, HelpText>> parse_command_line(const std::vector<std::string>& arguments) {
  CommandSyntax syntax;
  std::vector<std::string> wanted = arguments;
  if (wanted.size() > 1 && wanted[0] == "help") wanted = {wanted[1], "--help"};
  PLZ_ASSIGN(RewrittenArguments rewritten, rewrite_arguments(wanted, describe(syntax.app)));
  if (contains(rewritten.arguments, "--version")) return HelpText{fmt::format("plz {}\n", plz_version())};
  if (rewritten.command.empty() || contains(rewritten.arguments, "--help", "-h")) {
    if (rewritten.command.empty()) return HelpText{syntax.app.help()};
    return HelpText{syntax.app.get_subcommand(rewritten.command)->help("plz")};
  }

  std::vector<std::string> reversed(rewritten.arguments.rbegin(), rewritten.arguments.rend());
  reversed.push_back(rewritten.command);
  try {
    syntax.app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return fail(as_error(error, *syntax.app.get_subcommand(rewritten.command)));
  }
  syntax.parsed.global.ping_timeout =
      std::chrono::milliseconds(static_cast<int64_t>(syntax.parsed.ping_timeout_seconds * 1000));
  CommandLine line{syntax.parsed.global, rewritten.command, std::move(*syntax.parsed.commands.at(rewritten.command))};
  if (auto* run = std::get_if<RunOptions>(&line.command)) run->arguments = std::move(rewritten.after_dashes);
  return line;
}

std::vector<CommandDescription> describe_commands() {
  CommandSyntax syntax;
  return describe(syntax.app);
}

}  // namespace plz
