#include "cli/configuration_checks.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <fmt/core.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "engine/run_arguments.h"
#include "model/ids.h"
#include "os/glob.h"

namespace plz::check {
namespace {

constexpr std::string_view kWorkingDirectory = "/src";

const std::string& text_of(const Json& value) { return value.get_ref<const std::string&>(); }

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char byte) { return byte < 0x20 || byte == 0x7f; });
}

std::string member(const std::string& at, std::string_view name) { return fmt::format("{}.{}", at, printable(name)); }

std::optional<int64_t> integer(const Json& value) {
  if (!value.is_number_integer()) return std::nullopt;
  if (value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
    return std::nullopt;
  return value.get<int64_t>();
}

// Each member must be among `known`.
Problem members_among(const std::string& at, const Json& value, std::initializer_list<std::string_view> known) {
  if (auto problem = object(at, value)) return problem;
  std::vector<std::string_view> names(known);
  for (const auto& [name, ignored] : value.items())
    if (std::find(names.begin(), names.end(), name) == names.end())
      return ValueProblem{member(at, name), fmt::format("is not known: {} takes {}", at, fmt::join(names, ", ")),
                          nearest_key_hint(name, names)};
  return std::nullopt;
}

Problem first_problem(std::initializer_list<Problem> problems) {
  for (const auto& problem : problems)
    if (problem) return problem;
  return std::nullopt;
}

// Checks a member where there is one.
template <typename Check>
Problem optional_member(const std::string& at, const Json& value, const char* name, Check check) {
  auto found = value.find(name);
  return found == value.end() ? std::nullopt : check(member(at, name), *found);
}

Problem amount_of_memory(const std::string& at, const Json& value) {
  constexpr auto kWhat = "a number of bytes above 0, or a text like \"4GiB\" or \"512m\"";
  if (value.is_string()) {
    auto bytes = parse_memory(text_of(value));
    return bytes && *bytes > 0 ? std::nullopt : expected(at, kWhat, value);
  }
  auto bytes = integer(value);
  return bytes && *bytes > 0 ? std::nullopt : expected(at, kWhat, value);
}

Problem positive_number(const std::string& at, const Json& value) {
  if (value.is_number() && std::isfinite(value.get<double>()) && value.get<double>() > 0) return std::nullopt;
  return expected(at, "a number above 0", value);
}

Problem variable_name(const std::string& at, const std::string& name) {
  if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != name.npos)
    return ValueProblem{member(at, name), "is no name of a variable", "a name is not empty and holds no '='"};
  if (name == "CONFIGURATION_FILE")
    return ValueProblem{member(at, name), "cannot be set: plz sets it for each job", ""};
  return std::nullopt;
}

}  // namespace

Problem expected(const std::string& at, std::string_view what, const Json& value) {
  return ValueProblem{at, fmt::format("expected {}, found {}", what, describe_json(value)), ""};
}

Problem boolean(const std::string& at, const Json& value) {
  return value.is_boolean() ? std::nullopt : expected(at, "true or false", value);
}

Problem boolean_or_null(const std::string& at, const Json& value) {
  return value.is_boolean() ? std::nullopt : expected(at, "true, false or null", value);
}

Problem printable_text(const std::string& at, const Json& value) {
  if (value.is_string() && !text_of(value).empty() && is_valid_utf8(text_of(value)) &&
      !has_control_character(text_of(value)))
    return std::nullopt;
  return expected(at, "a printable text that is not empty", value);
}

Problem text(const std::string& at, const Json& value) {
  if (value.is_string() && !text_of(value).empty() && text_of(value).find('\0') == std::string::npos)
    return std::nullopt;
  return expected(at, "a text that is not empty", value);
}

Problem integer_between(int64_t low, int64_t high, const std::string& at, const Json& value) {
  auto number = integer(value);
  if (number && *number >= low && *number <= high) return std::nullopt;
  if (high == std::numeric_limits<int64_t>::max())
    return expected(at, fmt::format("an integer of {} or more", low), value);
  return expected(at, fmt::format("an integer from {} to {}", low, high), value);
}

Problem one_of(std::initializer_list<std::string_view> words, const std::string& at, const Json& value) {
  if (value.is_string() && std::find(words.begin(), words.end(), text_of(value)) != words.end()) return std::nullopt;
  std::string what;
  for (auto word : words) what += fmt::format("{}\"{}\"", what.empty() ? "" : " or ", word);
  return expected(at, what, value);
}

Problem object(const std::string& at, const Json& value) {
  return value.is_object() ? std::nullopt : expected(at, "an object", value);
}

Problem list_of_texts(const std::string& at, const Json& value) {
  if (!value.is_array()) return expected(at, "a list of texts", value);
  for (size_t i = 0; i < value.size(); ++i)
    if (!value[i].is_string() || text_of(value[i]).find('\0') != std::string::npos)
      return expected(fmt::format("{}[{}]", at, i), "a text", value[i]);
  return std::nullopt;
}

Problem host(const std::string& at, const Json& value) {
  if (auto problem = printable_text(at, value)) return problem;
  if (text_of(value).find_first_of(" /@") == std::string::npos) return std::nullopt;
  auto problem = expected(at, "the name or address of a machine", value);
  problem->hint = "http, https or ssh is said by connection_info.schema, the port by port";
  return problem;
}

Problem port(const std::string& at, const Json& value) { return integer_between(1, 65535, at, value); }

Problem connection_info(const std::string& at, const Json& value) {
  if (auto problem = members_among(at, value, {"schema", "username", "path_to_private_key", "path_to_ca_file"}))
    return problem;
  return first_problem({
      optional_member(at, value, "schema",
                      [](const std::string& where, const Json& schema) {
                        return one_of({"http", "https", "http-ssh"}, where, schema);
                      }),
      optional_member(at, value, "username", printable_text),
      optional_member(at, value, "path_to_private_key", text),
      optional_member(at, value, "path_to_ca_file", text),
  });
}

Problem command(const std::string& at, const Json& value) {
  if (auto problem = list_of_texts(at, value)) {
    if (value.is_string()) problem->hint = R"(each argument is a text of its own: ["python3", "train.py"])";
    return problem;
  }
  if (value.empty() || text_of(value[0]).empty())
    return ValueProblem{at, "expected a program and its arguments, found none", ""};
  return std::nullopt;
}

Problem input(const std::string& at, const Json& value) {
  constexpr std::string_view kFile = "file://", kInputId = "input_id://", kOutput = "output://";
  if (auto problem = text(at, value)) return problem;
  std::string_view source = text_of(value);
  if (source.starts_with(kFile) && source.size() > kFile.size()) return std::nullopt;
  if (source.starts_with(kInputId) && source.size() > kInputId.size()) return std::nullopt;
  if (source.starts_with(kOutput)) {
    auto id = source.substr(kOutput.size());
    if (ExecutionId::parse(id.substr(0, id.find('/')))) return std::nullopt;
    return ValueProblem{at, fmt::format("\"{}\" names no execution by its id", printable(source)),
                        "output://EXECUTION or output://EXECUTION/PATH"};
  }
  auto problem = expected(at, "file://PATH, input_id://ID or output://EXECUTION[/PATH]", value);
  if (source.find("://") == source.npos) problem->hint = fmt::format("did you mean \"file://{}\"?", printable(source));
  return problem;
}

Problem parameters(const std::string& at, const Json& value) {
  if (value.is_object() || (value.is_string() && !text(at, value))) return std::nullopt;
  return expected(at, "an object, or the path of a file that holds one", value);
}

Problem market_type(const std::string& at, const Json& value) { return one_of({"on_demand", "spot"}, at, value); }

Problem bid(const std::string& at, const Json& value) { return positive_number(at, value); }

Problem minutes(const std::string& at, const Json& value) {
  constexpr int64_t kHundredYears = 100LL * 366 * 24 * 60;
  return integer_between(0, kHundredYears, at, value);
}

Problem docker_run_args(const std::string& at, const Json& value) {
  if (auto problem = object(at, value)) return problem;
  auto read = read_run_arguments({value.dump()});
  if (read) return std::nullopt;
  const Error& error = read.error();
  // "docker_run_args.NAME: what is wrong".
  size_t colon = error.message.find(": ");
  if (colon == error.message.npos) return ValueProblem{at, error.message, error.hint};
  return ValueProblem{printable(error.message.substr(0, colon)), error.message.substr(colon + 2), error.hint};
}

Problem environment(const std::string& at, const Json& value) {
  if (auto problem = object(at, value)) return problem;
  for (const auto& [name, content] : value.items()) {
    if (auto problem = variable_name(at, name)) return problem;
    bool is_text = content.is_string() && text_of(content).find('\0') == std::string::npos;
    if (!is_text && !content.is_number()) return expected(member(at, name), "a text", content);
  }
  return std::nullopt;
}

Problem outputs(const std::string& at, const Json& value) {
  if (auto problem = list_of_texts(at, value)) return problem;
  for (size_t i = 0; i < value.size(); ++i)
    if (!Glob::make(text_of(value[i]), kWorkingDirectory))
      return ValueProblem{
          fmt::format("{}[{}]", at, i),
          fmt::format("{} lies outside of the job's working directory", describe_json(value[i])),
          "paths are relative to that, and \".\" is all of it; what lies in the output directory is kept "
          "anyway"};
  return std::nullopt;
}

Problem index_range(const std::string& at, const Json& value) {
  bool pair = value.is_array() && value.size() == 2 && integer(value[0]) && integer(value[1]);
  if (!pair) return expected(at, "a list of two integers, [from, to]", value);
  if (*integer(value[0]) < 0) return expected(at + "[0]", "an integer of 0 or more", value[0]);
  if (*integer(value[0]) < *integer(value[1])) return std::nullopt;
  return ValueProblem{at, fmt::format("the range [{}, {}] holds no index", value[0].dump(), value[1].dump()),
                      "its first index is in the range, its last is not: [0, 10] are ten"};
}

Problem positive_integer(const std::string& at, const Json& value) {
  return integer_between(1, std::numeric_limits<int64_t>::max(), at, value);
}

Problem resources(const std::string& at, const Json& value) {
  if (auto problem = members_among(at, value, {"cpus", "memory", "gpus"})) return problem;
  return first_problem({
      optional_member(at, value, "cpus", positive_number),
      optional_member(at, value, "memory", amount_of_memory),
      optional_member(at, value, "gpus",
                      [](const std::string& where, const Json& gpus) { return integer_between(0, 1024, where, gpus); }),
  });
}

Problem safe_directories(const std::string& at, const Json& value) {
  if (value.is_string()) return text(at, value);
  if (auto problem = list_of_texts(at, value)) return problem;
  for (size_t i = 0; i < value.size(); ++i)
    if (auto problem = text(fmt::format("{}[{}]", at, i), value[i])) return problem;
  return std::nullopt;
}

Problem runtime(const std::string& at, const Json& value) { return one_of({"sandbox", "process"}, at, value); }

Problem log_level(const std::string& at, const Json& value) {
  return one_of({"debug", "info", "warning", "error", "DEBUG", "INFO", "WARNING", "ERROR"}, at, value);
}

}  // namespace plz::check
