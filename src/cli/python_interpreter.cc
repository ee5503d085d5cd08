#include "cli/python_interpreter.h"

#include <fcntl.h>

#include <algorithm>

#include "base/text.h"
#include "cli/background_command.h"
#include "os/file.h"

namespace plz {
namespace {

// python, python3, python3.11, pypy3
bool is_python_name(std::string_view name) {
  if (name.starts_with("python")) name.remove_prefix(6);
  else if (name.starts_with("pypy")) name.remove_prefix(4);
  else return false;
  return name.find_first_not_of("0123456789.") == name.npos;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (auto word : split(text, ' '))
    if (!trim(word).empty()) words.emplace_back(trim(word));
  return words;
}

// The words of a script's #! line.
std::vector<std::string> shebang_of(const std::string& path) {
  auto file = open_file(path, O_RDONLY);
  if (!file) return {};
  char buffer[256];
  auto size = read_up_to(file->get(), buffer, sizeof buffer);
  if (!size) return {};
  std::string_view text(buffer, *size);
  if (!text.starts_with("#!")) return {};
  return words_of(text.substr(2, text.find('\n') - 2));
}

std::string interpreter_of_script(const std::string& path, const EnvironmentVariables& environment,
                                  const std::string& directory) {
  auto words = shebang_of(path);
  if (words.empty()) return {};
  if (is_python_name(base_name(words[0]))) return locate_program(words[0], environment, directory);
  if (base_name(words[0]) != "env") return {};
  auto program = std::find_if(words.begin() + 1, words.end(), [](const std::string& word) { return word[0] != '-'; });
  if (program == words.end() || !is_python_name(base_name(*program))) return {};
  return locate_program(*program, environment, directory);
}

// What `sh -c` would start first, as far as plain words tell.
std::string first_program(const std::vector<std::string>& command) {
  std::string shell = base_name(command[0]);
  if (command.size() < 3 || command[1] != "-c" || (shell != "sh" && shell != "bash")) return command[0];
  for (auto& word : words_of(command[2]))
    if (word.find('=') == word.npos && word != "exec") return word;
  return {};
}

}  // namespace

bool starts_captured_file(const std::vector<std::string>& command) {
  if (command.empty()) return false;
  const std::string program = first_program(command);
  return !program.starts_with('/') && program.find('/') != program.npos;
}

std::optional<std::string> python_of_command(const std::vector<std::string>& command,
                                             const EnvironmentVariables& environment, const std::string& directory) {
  if (command.empty()) return std::nullopt;
  std::string path = locate_program(first_program(command), environment, directory);
  if (path.empty()) return std::nullopt;
  if (!is_python_name(base_name(path))) path = interpreter_of_script(path, environment, directory);
  return path.empty() ? std::nullopt : std::optional(path);
}

}  // namespace plz
