#include "cli/argument_rewriter.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/nearest.h"
#include "base/text.h"

namespace plz {
namespace {

class Rewriter {
 public:
  explicit Rewriter(const std::vector<CommandDescription>& commands) : commands_(commands) {}

  Result<RewrittenArguments> rewrite(const std::vector<std::string>& arguments) {
    for (size_t i = 0; i < arguments.size(); ++i) {
      if (arguments[i] == "--" && !value_expected_) {
        PLZ_TRY(take_rest({arguments.begin() + i + 1, arguments.end()}));
        break;
      }
      PLZ_TRY(take(arguments[i]));
    }
    if (value_expected_)
      return fail(ErrorCode::invalid, fmt::format("{} needs a value behind it", printable(arguments.back())),
                  see_help());
    return std::move(result_);
  }

 private:
  Result<void> take(const std::string& argument) {
    if (value_expected_) {
      value_expected_ = false;
      result_.arguments.push_back(argument);
      return {};
    }
    if (argument.starts_with("--")) return take_long(argument);
    if (argument.size() > 1 && argument[0] == '-') return take_short(argument);
    if (!command_) return take_command(argument);
    if (!command_->takes_execution) return refuse_positional(argument);
    result_.arguments.push_back(argument);
    return {};
  }

  Result<void> take_command(const std::string& name) {
    for (const auto& command : commands_) {
      if (command.name != name || name.empty()) continue;
      command_ = &command;
      result_.command = name;
      return {};
    }
    return fail(ErrorCode::invalid, fmt::format("there is no command \"{}\"", printable(name)),
                suggestion(name, command_names(), "", "`plz --help` lists the commands"));
  }

  Result<void> take_long(const std::string& argument) {
    const size_t equals = argument.find('=');
    const std::string name = argument.substr(2, equals == std::string::npos ? equals : equals - 2);
    PLZ_ASSIGN(const OptionDescription* option, find_long(name));
    if (!option->takes_value && equals != std::string::npos)
      return fail(ErrorCode::invalid, fmt::format("--{} takes no value", option->long_name));
    value_expected_ = option->takes_value && equals == std::string::npos;
    result_.arguments.push_back("--" + option->long_name +
                                (equals == std::string::npos ? "" : argument.substr(equals)));
    return {};
  }

  Result<const OptionDescription*> find_long(const std::string& name) const {
    std::vector<const OptionDescription*> candidates;
    for (const OptionDescription* option : options()) {
      // Older than --outputs, which begins alike.
      if (option->long_name == name || (option->long_name == "output-dir" && name == "output")) return option;
      if (!name.empty() && option->long_name.starts_with(name)) candidates.push_back(option);
    }
    if (candidates.size() == 1) return candidates.front();
    if (candidates.empty()) return unknown("--" + name, suggestion(name, option_names(), "--", see_help()));
    std::vector<std::string> names;
    for (const auto* candidate : candidates) names.push_back("--" + candidate->long_name);
    return fail(ErrorCode::invalid, fmt::format("--{} may mean {}: write more of it", name, fmt::join(names, " or ")));
  }

  // A cluster of one-letter options: -df, -oDIR.
  Result<void> take_short(const std::string& argument) {
    for (size_t i = 1; i < argument.size(); ++i) {
      const OptionDescription* option = find_short(argument[i]);
      if (!option) return unknown(fmt::format("-{}", printable(argument.substr(i, 1))), see_help());
      if (!option->takes_value) continue;
      value_expected_ = i + 1 == argument.size();
      break;
    }
    result_.arguments.push_back(argument);
    return {};
  }

  const OptionDescription* find_short(char letter) const {
    for (const OptionDescription* option : options())
      if (option->short_name == std::string_view(&letter, 1)) return option;
    return nullptr;
  }

  Result<void> take_rest(std::vector<std::string> rest) {
    if (!command_) return fail(ErrorCode::invalid, "no command of plz before --", "write `plz run -- COMMAND`");
    if (command_->name != "run" && !rest.empty())
      return fail(ErrorCode::invalid, fmt::format("`plz {}` takes nothing after --", command_->name),
                  "only `plz run` runs a command");
    result_.after_dashes = std::move(rest);
    return {};
  }

  tl::unexpected<Error> refuse_positional(const std::string& argument) const {
    std::string hint =
        command_->name == "run" ? "put -- before the command to run: plz run -- " + printable(argument) : see_help();
    return fail(ErrorCode::invalid, fmt::format("`plz {}` does not take \"{}\"", command_->name, printable(argument)),
                std::move(hint));
  }

  tl::unexpected<Error> unknown(std::string_view option, std::string hint) const {
    return fail(ErrorCode::invalid,
                fmt::format("`plz{}{}` has no option {}", command_ ? " " : "", command_ ? command_->name : "",
                            printable(option)),
                std::move(hint));
  }

  std::vector<const OptionDescription*> options() const {
    std::vector<const OptionDescription*> all;
    for (const auto& option : commands_.front().options) all.push_back(&option);
    if (command_)
      for (const auto& option : command_->options) all.push_back(&option);
    return all;
  }

  std::vector<std::string_view> option_names() const {
    std::vector<std::string_view> names;
    for (const auto* option : options()) names.push_back(option->long_name);
    return names;
  }

  std::vector<std::string_view> command_names() const {
    std::vector<std::string_view> names;
    for (const auto& command : commands_)
      if (!command.name.empty() && !command.name.starts_with("__")) names.push_back(command.name);
    return names;
  }

  static std::string suggestion(std::string_view name, const std::vector<std::string_view>& known,
                                std::string_view prefix, std::string otherwise) {
    auto nearest = nearest_name(name, known);
    return nearest ? fmt::format("did you mean {}{}?", prefix, *nearest) : otherwise;
  }

  std::string see_help() const { return fmt::format("see `plz {}--help`", command_ ? command_->name + " " : ""); }

  const std::vector<CommandDescription>& commands_;
  const CommandDescription* command_ = nullptr;
  bool value_expected_ = false;
  RewrittenArguments result_;
};

}  // namespace

Result<RewrittenArguments> rewrite_arguments(const std::vector<std::string>& arguments,
                                             const std::vector<CommandDescription>& commands) {
  return Rewriter(commands).rewrite(arguments);
}

}  // namespace plz
