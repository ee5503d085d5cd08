#include "cli/configuration_keys.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/nearest.h"
#include "base/text.h"
#include "cli/configuration_checks.h"

namespace plz {
namespace {

template <typename T>
std::optional<T> optional_of(const Json& value) {
  return value.is_null() ? std::nullopt : std::optional<T>(value.get<T>());
}

void set_connection_info(const Json& value, Configuration& configuration) {
  ConnectionInfo& info = configuration.connection_info;
  std::string schema = value.value("schema", "http");
  info.schema = schema == "https"      ? ConnectionSchema::https
                : schema == "http-ssh" ? ConnectionSchema::http_ssh
                                       : ConnectionSchema::http;
  info.username = value.value("username", "");
  info.path_to_private_key = value.value("path_to_private_key", "");
  info.path_to_ca_file = value.value("path_to_ca_file", "");
}

void set_parameters(const Json& value, Configuration& configuration) {
  if (value.is_string()) configuration.parameters_path = value.get<std::string>();
  if (value.is_object()) configuration.parameters = JsonText{value.dump()};
}

void set_environment(const Json& value, Configuration& configuration) {
  for (const auto& [name, content] : value.items())
    configuration.environment.emplace_back(name, content.is_string() ? content.get<std::string>() : content.dump());
}

void set_uptime(const Json& value, Configuration& configuration) {
  auto minutes = optional_of<int64_t>(value);
  if (minutes && *minutes == 0) minutes.reset();
  configuration.market.instance_max_uptime_in_minutes = minutes;
}

void set_index_range(const Json& value, Configuration& configuration) {
  if (!value.is_null())
    configuration.parallel_indices_range = IndexRange{value[0].get<int64_t>(), value[1].get<int64_t>()};
}

void set_resources(const Json& value, Configuration& configuration) {
  Resources& resources = configuration.resources;
  resources.cpus = value.value("cpus", resources.cpus);
  resources.gpus = value.value("gpus", resources.gpus);
  if (auto memory = value.find("memory"); memory != value.end())
    resources.memory_bytes = memory->is_string() ? *parse_memory(memory->get<std::string>()) : memory->get<uint64_t>();
}

void set_log_level(const Json& value, Configuration& configuration) {
  std::string level = value.get<std::string>();
  for (char& letter : level) letter = static_cast<char>(letter | 0x20);
  configuration.log_level = level;
}

#define PLZ_SET(expression) [](const Json& value, Configuration& c) { expression; }

constexpr auto kText = ValueForm::text;
constexpr auto kJson = ValueForm::json;
constexpr auto kReplace = ValueMerge::replace;
constexpr auto kMembers = ValueMerge::members;

constexpr ConfigurationKey kKeys[] = {
    {"host", "text or null", "null", "The machine of a shared controller. None: the embedded one.", kText, kReplace,
     true, check::host, PLZ_SET(c.host = optional_of<std::string>(value))},
    {"port", "integer or null", "80; 443 with https", "The controller's port.", kJson, kReplace, true, check::port,
     PLZ_SET(c.port = optional_of<int>(value).value_or(0))},
    {"connection_info", "object", "{}",
     "How the controller is reached: `schema` is `\"http\"` (the default), `\"https\"` or `\"http-ssh\"`; for ssh "
     "`username` and `path_to_private_key`; for https `path_to_ca_file`, where the system's certificates do not do.",
     kJson, kMembers, false, check::connection_info, set_connection_info},
    {"user", "text or null", "the login name", "Whose executions these are. Any printable text.", kText, kReplace, true,
     check::printable_text, PLZ_SET(if (!value.is_null()) c.user = value.get<std::string>())},
    {"project", "text or null", "the working directory's name", "What they belong to. Any printable text.", kText,
     kReplace, true, check::printable_text, PLZ_SET(if (!value.is_null()) c.project = value.get<std::string>())},
    {"command", "list of texts, or null", "null",
     "What to run: the program and its arguments. `plz run -- …` and `--command` override it.", kJson, kReplace, true,
     check::command, PLZ_SET(c.command = optional_of<std::vector<std::string>>(value))},
    {"image", "text or null", "null",
     "The base image of the container to run in. No image and no `plz.Dockerfile`: the sandbox over this machine's "
     "own files.",
     kText, kReplace, true, check::text, PLZ_SET(c.image = optional_of<std::string>(value))},
    {"image_extensions", "list of texts", "[]", "Further lines of a Dockerfile, after `FROM image`.", kJson, kReplace,
     false, check::list_of_texts, PLZ_SET(c.image_extensions = value.get<std::vector<std::string>>())},
    {"input", "text or null", "null",
     "The input data: `file://PATH` (a directory or one file), `input_id://ID` (captured earlier) or "
     "`output://EXECUTION[/PATH]` (what an earlier execution left).",
     kText, kReplace, true, check::input, PLZ_SET(c.input = optional_of<std::string>(value))},
    {"context_path", "text", ".", "The root of the captured code.", kText, kReplace, false, check::text,
     PLZ_SET(c.context_path = value.get<std::string>())},
    {"excluded_paths", "list of globs", "[]",
     "What is not captured, relative to `context_path`. A path matches if it or a directory above it does.", kJson,
     kReplace, false, check::list_of_texts, PLZ_SET(c.excluded_paths = value.get<std::vector<std::string>>())},
    {"included_paths", "list of globs", "[]", "What is captured all the same: inclusion wins over any exclusion.",
     kJson, kReplace, false, check::list_of_texts, PLZ_SET(c.included_paths = value.get<std::vector<std::string>>())},
    {"exclude_gitignored_files", "boolean or null", "null",
     "Whether files that git ignores (tracked or not) and every `.git` are left out. null: if this is a git checkout.",
     kJson, kReplace, true, check::boolean_or_null, PLZ_SET(c.exclude_gitignored_files = optional_of<bool>(value))},
    {"follow_links", "boolean", "false",
     "Whether links that lead out of the code, or of the input, are captured as the files and directories that they "
     "lead to. `plz run --follow-links` sets it.",
     kJson, kReplace, false, check::boolean, PLZ_SET(c.follow_links = value.get<bool>())},
    {"parameters", "object, text or null", "null",
     "The job's parameters: an object, or the path of a JSON file that holds one. `plz run -p FILE` overrides it.",
     ValueForm::text_or_json, kReplace, true, check::parameters, set_parameters},
    {"instance_type", "text", "\"t2.micro\"", "The type of the instance, for providers that have types.", kText,
     kReplace, false, check::printable_text, PLZ_SET(c.market.instance_type = value.get<std::string>())},
    {"instance_market_type", "\"on_demand\" or \"spot\"", "\"on_demand\"",
     "How the instance is paid. Spot needs `max_bid_price_in_dollars_per_hour`.", kText, kReplace, false,
     check::market_type, PLZ_SET(c.market.market_type = value == "spot" ? MarketType::spot : MarketType::on_demand)},
    {"max_bid_price_in_dollars_per_hour", "number or null", "null",
     "The most to pay for a spot instance. With on_demand it is ignored, with a warning.", kJson, kReplace, true,
     check::bid, PLZ_SET(c.market.max_bid_price_in_dollars_per_hour = optional_of<double>(value))},
    {"instance_max_uptime_in_minutes", "integer or null", "60",
     "The hard limit of an instance's life, whatever runs on it. null or 0: none. The local instance has none.", kJson,
     kReplace, true, check::minutes, set_uptime},
    {"instance_max_idle_time_in_minutes", "integer", "0", "How long an idle instance is kept for reuse.", kJson,
     kReplace, false, check::minutes, PLZ_SET(c.market.instance_max_idle_time_in_minutes = value.get<int64_t>())},
    {"docker_run_args", "object", "{}",
     "Handed to the container, as the keyword arguments of `containers.run` of Docker's Python SDK: `runtime`, "
     "`shm_size`, `ipc_mode`, `environment`, …",
     kJson, kMembers, false, check::docker_run_args, PLZ_SET(c.docker_run_args = JsonText{value.dump()})},
    {"environment", "object of texts", "{}",
     "Variables added to the job's environment. They are recorded, with their values.", kJson, kMembers, false,
     check::environment, set_environment},
    {"recorded_variables", "list of patterns", "[]",
     "Names of further environment variables whose values are recorded (`\"LIGHTNING_*\"`), beside "
     "[those that are known to change results](metadata.md#variables). What looks like a secret never is.",
     kJson, kReplace, false, check::list_of_texts,
     PLZ_SET(c.recorded_variables = value.get<std::vector<std::string>>())},
    {"outputs", "list of globs", "[]",
     "Paths in the job's working directory. What it made or changed there is kept in its output: `[\"checkpoints\", "
     "\"runs/**\"]`; `[\".\"]`: all of it.",
     kJson, kReplace, false, check::outputs, PLZ_SET(c.outputs = value.get<std::vector<std::string>>())},
    {"parallel_indices_range", "[from, to] or null", "null",
     "Makes the execution a composite: one sub-execution for each group of the indices from `from` to `to - 1`.", kJson,
     kReplace, true, check::index_range, set_index_range},
    {"indices_per_execution", "integer or null", "1", "The size of such a group.", kJson, kReplace, true,
     check::positive_integer, PLZ_SET(c.indices_per_execution = optional_of<int64_t>(value).value_or(1))},
    {"resources", "object", "{}",
     "What the job needs: `cpus` (a number, 1), `memory` (bytes, or a text: `\"4GiB\"`, `\"512m\"`) and `gpus` "
     "(an integer, 0). It waits until they are free; what nobody here could ever give is refused.",
     kJson, kMembers, false, check::resources, set_resources},
    {"wait_anyway", "boolean", "false",
     "Whether a job that asks for more than any machine here has is queued; else it is refused. `plz run "
     "--wait-anyway` "
     "sets it.",
     kJson, kReplace, false, check::boolean, PLZ_SET(c.wait_anyway = value.get<bool>())},
    {"network", "boolean", "true", "Whether the job has this machine's network; false: it has none.", kJson, kReplace,
     false, check::boolean, PLZ_SET(c.network = value.get<bool>())},
    {"runtime", "\"sandbox\", \"process\" or null", "null",
     "What a job without an image runs in. null: the sandbox; where the kernel or the machine's owner refuses that, "
     "and "
     "the job is not root's, a plain process, with a warning. `\"process\"`: a plain process, which "
     "[sees and may change all that its user may](security.md). `plz run --runtime` sets it.",
     kText, kReplace, true, check::runtime, PLZ_SET(c.runtime = optional_of<std::string>(value).value_or(""))},
    {"quiet_build", "boolean", "false", "Does not show what the building of an image prints.", kJson, kReplace, false,
     check::boolean, PLZ_SET(c.quiet_build = value.get<bool>())},
    {"debug", "boolean", "false", "Says more about errors.", kJson, kReplace, false, check::boolean,
     PLZ_SET(c.debug = value.get<bool>())},
    {"log_level", "\"debug\", \"info\", \"warning\" or \"error\"", "\"warning\"", "How much plz logs about itself.",
     kText, kReplace, false, check::log_level, set_log_level},
    {"use_emojis", "boolean", "true", "Whether messages on a terminal begin with an emoji.", kJson, kReplace, false,
     check::boolean, PLZ_SET(c.use_emojis = value.get<bool>())},
    {"safe_directories", "list of paths, or \"*\"", "[]",
     "Directories whose `plz.config.json`, `plz.Dockerfile` and ignore rules are followed whoever can write them: "
     "`/srv/lab` is that directory, `/srv/lab/*` also all below it, `*` every one. In your own file or in the "
     "environment "
     "only.",
     ValueForm::text_or_list, kReplace, true, check::safe_directories,
     PLZ_SET(c.trust.safe_directories = list_of_texts(value))},
    {"workarounds", "object", "{}", "Accepted, so that old files load; it changes nothing.", kJson, kMembers, false,
     check::object, PLZ_SET(c.workarounds = JsonText{value.dump()})},
};

#undef PLZ_SET

struct MemoryUnit {
  std::string_view name;  // in small letters
  double bytes;
};
constexpr double kKibi = 1024, kKilo = 1000;
constexpr MemoryUnit kMemoryUnits[] = {
    {"", 1},
    {"b", 1},
    {"k", kKibi},
    {"kib", kKibi},
    {"kb", kKilo},
    {"m", kKibi* kKibi},
    {"mib", kKibi* kKibi},
    {"mb", kKilo* kKilo},
    {"g", kKibi* kKibi* kKibi},
    {"gib", kKibi* kKibi* kKibi},
    {"gb", kKilo* kKilo* kKilo},
    {"t", kKibi* kKibi* kKibi* kKibi},
    {"tib", kKibi* kKibi* kKibi* kKibi},
    {"tb", kKilo* kKilo* kKilo* kKilo},
};

std::string small_letters(std::string_view text) {
  std::string result(text);
  for (char& letter : result)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter | 0x20);
  return result;
}

std::string cell(std::string_view text, bool code) {
  std::string escaped;
  for (char letter : text) escaped += letter == '|' ? std::string("\\|") : std::string(1, letter);
  return code ? "`" + escaped + "`" : escaped;
}

}  // namespace

std::vector<std::string> list_of_texts(const Json& value) {
  if (value.is_null()) return {};
  if (value.is_string()) return {value.get<std::string>()};
  return value.get<std::vector<std::string>>();
}

std::span<const ConfigurationKey> configuration_keys() { return kKeys; }

const ConfigurationKey* find_configuration_key(std::string_view name) {
  for (const auto& key : kKeys)
    if (key.name == name) return &key;
  return nullptr;
}

std::vector<std::string_view> configuration_key_names() {
  std::vector<std::string_view> names;
  for (const auto& key : kKeys) names.push_back(key.name);
  return names;
}

std::string nearest_key_hint(std::string_view name, std::span<const std::string_view> known) {
  auto nearest = nearest_name(name.substr(0, 100), known);
  return nearest ? fmt::format("did you mean \"{}\"?", *nearest) : "";
}

std::optional<uint64_t> parse_memory(std::string_view text) {
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(number) || number < 0) return std::nullopt;
  std::string unit = small_letters(trim(text.substr(static_cast<size_t>(end - text.data()))));
  for (const auto& known : kMemoryUnits)
    if (known.name == unit) {
      double bytes = std::round(number * known.bytes);
      return bytes < 0x1p63 ? std::optional(static_cast<uint64_t>(bytes)) : std::nullopt;
    }
  return std::nullopt;
}

std::string configuration_reference() {
  std::string text = "| key | type | default | meaning |\n|---|---|---|---|\n";
  for (const auto& key : kKeys)
    text += fmt::format("| {} | {} | {} | {} |\n", cell(key.name, true), cell(key.type, false),
                        cell(key.standard, false), cell(key.meaning, false));
  return text;
}

}  // namespace plz
