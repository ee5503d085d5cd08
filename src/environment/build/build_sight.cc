#include "environment/build/build_sight.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/text.h"
#include "environment/build/dockerfile.h"
#include "environment/build/dockerfile_word.h"
#include "environment/build/ignore_rules.h"

namespace plz {
namespace {

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
  return text;
}

std::optional<std::string> flag_value(const DockerInstruction& instruction, std::string_view name) {
  for (std::string_view flag : instruction.flags)
    if (flag.starts_with(name)) return std::string(flag.substr(name.size()));
  return std::nullopt;
}

bool is_address(std::string_view source) { return source.find("://") != source.npos || source.starts_with("git@"); }

class SightReader {
 public:
  explicit SightReader(BuildSight& sight) : sight_(sight) {}

  void read(const DockerInstruction& instruction) {
    const std::string& name = instruction.name;
    if (instruction.rest.find("<<") != std::string::npos) sight_.whole_context = true;
    if (name == "ARG" && !in_stage_) declare(instruction.rest);
    if (name == "FROM") begin_stage(instruction);
    if (name == "COPY" || name == "ADD") take_sources(instruction);
    if (name == "RUN" && flag_value(instruction, "--mount")) sight_.whole_context = true;
    if (name == "ONBUILD") sight_.whole_context = true;
  }

 private:
  // Without a value it keeps the one that it has.
  void declare(std::string_view rest) {
    for (const std::string& word : dockerfile_words(rest)) {
      const size_t equals = word.find('=');
      if (equals == word.npos) continue;
      const std::string name = word.substr(0, equals);
      auto value = expand_word(std::string_view(word).substr(equals + 1), arguments_);
      if (value) arguments_[name] = *value;
      else unclear_.insert(name);
    }
  }

  void begin_stage(const DockerInstruction& instruction) {
    in_stage_ = true;
    auto words = dockerfile_words(instruction.rest);
    if (words.size() != 1 && words.size() != 3) return;  // the engine will refuse it
    auto base = is_unclear(words[0]) ? std::nullopt : expand_word(words[0], arguments_);
    if (!base) sight_.unknown_base = words[0];
    else if (!is_stage(*base) && *base != "scratch") add_base(*base, true);
    if (words.size() == 3 && lower(words[1]) == "as") sight_.stages.push_back(lower(words[2]));
  }

  void take_sources(const DockerInstruction& instruction) {
    if (auto from = flag_value(instruction, "--from=")) return take_from(*from);
    auto words = dockerfile_words(instruction.rest);
    for (size_t i = 0; i + 1 < words.size(); ++i) add_source(words[i]);
  }

  void take_from(const std::string& from) {
    bool number = !from.empty() && std::all_of(from.begin(), from.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (number || is_stage(from)) return;
    if (from.find('$') != from.npos) sight_.unknown_base = from;
    else add_base(from, false);
  }

  void add_source(const std::string& source) {
    if (is_address(source)) return;
    std::string pattern = clean_context_path(source);
    // Blanks cannot be in a word but by JSON; quotes, variables and escapes are the engine's to resolve.
    bool unclear = source.find_first_of("$\"'\\") != source.npos || !PathPattern(pattern).is_complete();
    if (unclear || pattern == ".") sight_.whole_context = true;
    else sight_.sources.push_back(pattern);
  }

  void add_base(const std::string& base, bool of_stage) {
    auto add = [&](std::vector<std::string>& names) {
      if (std::find(names.begin(), names.end(), base) == names.end()) names.push_back(base);
    };
    add(sight_.bases);
    if (of_stage) add(sight_.stage_bases);
  }

  bool is_stage(const std::string& name) const {
    return std::find(sight_.stages.begin(), sight_.stages.end(), lower(name)) != sight_.stages.end();
  }

  bool is_unclear(std::string_view word) const {
    return std::any_of(unclear_.begin(), unclear_.end(),
                       [&](const std::string& name) { return word.find(name) != word.npos; });
  }

  BuildSight& sight_;
  bool in_stage_ = false;
  std::map<std::string, std::string> arguments_;
  std::set<std::string> unclear_;  // arguments whose values only the engine knows
};

}  // namespace

BuildSight sight_of(std::string_view dockerfile) {
  BuildSight sight;
  SightReader reader(sight);
  for (const DockerInstruction& instruction : parse_dockerfile(dockerfile)) reader.read(instruction);
  return sight;
}

void add_triggers(BuildSight& sight, const std::vector<std::string>& triggers) {
  SightReader reader(sight);
  for (const std::string& trigger : triggers)
    for (const DockerInstruction& instruction : parse_dockerfile(trigger)) reader.read(instruction);
}

}  // namespace plz
