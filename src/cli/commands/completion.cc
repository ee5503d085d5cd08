#include <fmt/core.h>

#include "cli/command_line.h"
#include "cli/commands/commands.h"

namespace plz {
namespace {

// The commands that a person types, and the global options.
struct Words {
  std::vector<CommandDescription> commands;
  CommandDescription global;
};

Words all_words() {
  Words words;
  for (auto& command : describe_commands()) {
    if (command.name.empty()) words.global = std::move(command);
    else if (!command.name.starts_with("__")) words.commands.push_back(std::move(command));
  }
  return words;
}

std::string option_words(const CommandDescription& command) {
  std::string words;
  for (const auto& option : command.options) {
    if (!words.empty()) words += ' ';
    words += "--" + option.long_name;
    if (!option.short_name.empty()) words += " -" + option.short_name;
  }
  return words;
}

// Those after which a value stands: there, files are completed.
std::string value_option_words(const CommandDescription& command) {
  CommandDescription with_values = command;
  std::erase_if(with_values.options, [](const OptionDescription& option) { return !option.takes_value; });
  return option_words(with_values);
}

// Of commands that take one of a few words.
std::string fixed_words(const CommandDescription& command) {
  if (command.name == "completion") return "bash zsh fish";
  if (command.name == "controller") return "restart stop status";
  return "";
}

bool takes_ids(const CommandDescription& command) { return command.takes_execution && fixed_words(command).empty(); }

std::string bash_script(const Words& words) {
  std::string names, cases;
  for (const auto& command : words.commands) {
    names += (names.empty() ? "" : " ") + command.name;
    cases += fmt::format("    {}) options=\"{}\"; values=\"{}\"; ids={}; fixed=\"{}\" ;;\n", command.name,
                         option_words(command), value_option_words(command), takes_ids(command) ? "yes" : "",
                         fixed_words(command));
  }
  return "# Completion of plz for bash. Written by: plz completion bash\n"
         "_plz() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
         "  local command= options= values= ids= fixed= i\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    [[ ${COMP_WORDS[i]} == -- ]] && { compopt -o default; COMPREPLY=(); return; }\n"
         "    [[ ${COMP_WORDS[i]} != -* ]] && { command=${COMP_WORDS[i]}; break; }\n"
         "  done\n"
         "  case $command in\n"
         "    '') COMPREPLY=($(compgen -W \"" +
         names + " " + option_words(words.global) + "\" -- \"$word\")); return ;;\n" + cases +
         "  esac\n"
         "  if [[ \" $values " +
         value_option_words(words.global) +
         " \" == *\" $previous \"* ]]; then\n"
         "    compopt -o default\n"
         "    return\n"
         "  fi\n"
         "  if [[ $word == -* ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$options " +
         option_words(words.global) +
         "\" -- \"$word\"))\n"
         "  elif [[ -n $fixed ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$fixed\" -- \"$word\"))\n"
         "    return\n"
         "  elif [[ -n $ids ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$(plz __complete ids 2>/dev/null)\" -- \"$word\"))\n"
         "  fi\n"
         "  [[ ${#COMPREPLY[@]} -eq 0 ]] && compopt -o default\n"
         "}\n"
         "complete -F _plz plz\n";
}

// In single quotes of a shell.
std::string shell_quoted(std::string_view text) {
  std::string result = "'";
  for (char c : text) result += c == '\'' ? "'\\''" : std::string(1, c);
  return result + "'";
}

std::string zsh_option(const OptionDescription& option) {
  std::string description;
  for (char c : option.description) {
    if (c == '[' || c == ']' || c == ':') description += '\\';
    description += c;
  }
  std::string arguments;
  for (const std::string& name :
       {"--" + option.long_name, option.short_name.empty() ? std::string() : "-" + option.short_name})
    if (!name.empty())
      arguments += " \\\n        " +
                   shell_quoted(fmt::format("{}[{}]{}", name, description, option.takes_value ? ":value:_files" : ""));
  return arguments;
}

std::string zsh_script(const Words& words) {
  std::string commands, cases;
  for (const auto& command : words.commands) {
    commands += "    " + shell_quoted(command.name + ":" + command.description) + "\n";
    std::string arguments;
    for (const auto& option : command.options) arguments += zsh_option(option);
    if (takes_ids(command)) arguments += " \\\n        '*:execution:_plz_ids'";
    if (const std::string fixed = fixed_words(command); !fixed.empty())
      arguments += fmt::format(" \\\n        '1:word:({})'", fixed);
    if (command.name == "run") arguments += " \\\n        '*::command:_normal'";
    cases += fmt::format("    {}) _arguments -s{} ;;\n", command.name, arguments);
  }
  return "#compdef plz\n"
         "# Completion of plz for zsh. Written by: plz completion zsh\n"
         "_plz_ids() {\n"
         "  local -a ids\n"
         "  ids=(${(f)\"$(plz __complete ids 2>/dev/null)\"})\n"
         "  compadd -V ids -a ids\n"
         "}\n"
         "_plz() {\n"
         "  local -a commands\n"
         "  commands=(\n" +
         commands +
         "  )\n"
         "  if ((CURRENT == 2)); then\n"
         "    _describe command commands\n"
         "    return\n"
         "  fi\n"
         "  local command=$words[2]\n"
         "  shift words\n"
         "  ((CURRENT--))\n"
         "  case $command in\n" +
         cases +
         "  esac\n"
         "}\n"
         "_plz \"$@\"\n";
}

std::string fish_option(const std::string& condition, const OptionDescription& option) {
  std::string line = fmt::format("complete -c plz -n {} -l {}", condition, option.long_name);
  if (!option.short_name.empty()) line += " -s " + option.short_name;
  if (option.takes_value) line += " -r";
  return line + " -d " + shell_quoted(option.description) + "\n";
}

std::string fish_script(const Words& words) {
  std::string script = "# Completion of plz for fish. Written by: plz completion fish\ncomplete -c plz -f\n";
  for (const auto& option : words.global.options) script += fish_option("true", option);
  for (const auto& command : words.commands) {
    script += fmt::format("complete -c plz -n __fish_use_subcommand -a {} -d {}\n", command.name,
                          shell_quoted(command.description));
    const std::string condition = shell_quoted("__fish_seen_subcommand_from " + command.name);
    for (const auto& option : command.options) script += fish_option(condition, option);
    if (takes_ids(command))
      script += fmt::format("complete -c plz -n {} -k -a '(plz __complete ids 2>/dev/null)'\n", condition);
    if (const std::string fixed = fixed_words(command); !fixed.empty())
      script += fmt::format("complete -c plz -n {} -a '{}'\n", condition, fixed);
    if (command.name == "run") script += fmt::format("complete -c plz -n {} -F\n", condition);
  }
  return script;
}

}  // namespace

std::string completion_script(const std::string& shell) {
  const Words words = all_words();
  if (shell == "zsh") return zsh_script(words);
  if (shell == "fish") return fish_script(words);
  return bash_script(words);
}

}  // namespace plz
