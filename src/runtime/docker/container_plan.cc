#include "runtime/docker/container_plan.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <signal.h>
#include <string.h>

#include "engine/run_arguments.h"

namespace plz {
namespace {

using Json = nlohmann::json;

// What plz-init needs, to become the user and to give back what was written.
constexpr std::string_view kNeededCapabilities[] = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"};

std::string dumped(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json bind_mount(const std::string& source, const std::string& target, bool writable) {
  return {{"Type", "bind"}, {"Source", source}, {"Target", target}, {"ReadOnly", !writable}};
}

std::set<std::string> capabilities(const Json& host, const char* key) {
  std::set<std::string> found;
  for (const Json& name : host.value(key, Json::array())) {
    std::string text = name.get<std::string>();
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(toupper(c)); });
    found.insert(text.starts_with("CAP_") ? text.substr(4) : text);
  }
  return found;
}

bool root_is_capable(const Json& host) {
  if (host.value("Privileged", false)) return true;
  auto added = capabilities(host, "CapAdd"), dropped = capabilities(host, "CapDrop");
  return std::all_of(std::begin(kNeededCapabilities), std::end(kNeededCapabilities), [&](std::string_view name) {
    bool is_dropped = dropped.contains("ALL") || dropped.contains(std::string(name));
    return !is_dropped || added.contains("ALL") || added.contains(std::string(name));
  });
}

// The last value of each counts; the first place is kept.
Json merged_environment(const EnvironmentVariables& ours, const Json& configured) {
  std::vector<std::string> variables;
  auto add = [&](const std::string& variable) {
    std::string name = variable.substr(0, variable.find('='));
    auto is_same = [&](const std::string& v) { return v.substr(0, v.find('=')) == name; };
    auto known = std::find_if(variables.begin(), variables.end(), is_same);
    if (known == variables.end()) variables.push_back(variable);
    else *known = variable;
  };
  for (const auto& [name, value] : ours) add(name + "=" + value);
  for (const Json& variable : configured) add(variable.get<std::string>());
  return variables;
}

bool has_variable(const Json& environment, std::string_view name) {
  return std::any_of(environment.begin(), environment.end(), [&](const Json& variable) {
    const std::string& text = variable.get_ref<const std::string&>();
    return text.starts_with(name) && text.size() > name.size() && text[name.size()] == '=';
  });
}

class Planner {
 public:
  Planner(const LaunchSpec& spec, const ImageDetails& image, const ContainerPlaces& places)
      : spec_(spec), image_(image), places_(places) {}

  Result<ContainerPlan> plan() {
    PLZ_ASSIGN(RunArguments arguments, read_run_arguments(spec_.docker_run_args));
    body_ = Json::parse(arguments.create_body.text);
    if (!body_.contains("HostConfig")) body_["HostConfig"] = Json::object();
    plan_.name = arguments.name.empty() ? "plz-" + spec_.attempt_id.to_string() : arguments.name;
    plan_.platform = arguments.platform;
    // Who configures a log driver wants the job's output to go there.
    if (host().contains("LogConfig")) plan_.log_keeper = LogKeeper::engine;
    PLZ_TRY(find_command());
    PLZ_TRY(find_stop_signal());
    common();
    resources();
    if (plan_.log_keeper == LogKeeper::plz_init) through_plz_init();
    else plain();
    plan_.create_body.text = dumped(body_);
    return std::move(plan_);
  }

 private:
  Json& host() { return body_["HostConfig"]; }
  std::string user() const { return body_.value("User", image_.user); }

  // As Docker has it: a configured entrypoint takes the image's command away.
  Result<void> find_command() {
    bool is_configured = body_.contains("Entrypoint");
    std::vector<std::string> command = spec_.command;
    if (command.empty() && !is_configured) command = image_.command;
    command_ = is_configured ? body_["Entrypoint"].get<std::vector<std::string>>() : image_.entrypoint;
    entrypoint_size_ = command_.size();
    command_.insert(command_.end(), command.begin(), command.end());
    if (command_.empty()) return fail(ErrorCode::invalid, "there is no command to run, and the image has none");
    for (const std::string& word : command_)
      if (word.find('\0') != word.npos) return fail(ErrorCode::invalid, "the command holds a NUL byte");
    return {};
  }

  Result<void> find_stop_signal() {
    if (!body_.contains("StopSignal")) return {};
    std::string name = body_["StopSignal"].get<std::string>();
    auto number = signal_number(name);
    if (!number)
      return fail(ErrorCode::invalid, fmt::format("docker_run_args.stop_signal: there is no signal {}", name));
    plan_.stop_signal = *number;
    return {};
  }

  void common() {
    body_["Image"] = spec_.image;
    for (const auto& [key, value] : container_labels(spec_, places_.controller)) body_["Labels"][key] = value;
    body_["Env"] = merged_environment(spec_.environment, body_.value("Env", Json::array()));
    if (!body_.contains("WorkingDir")) body_["WorkingDir"] = kContainerCodePath;
    if (!body_.contains("Healthcheck")) body_["Healthcheck"] = {{"Test", {"NONE"}}};
    Json mounts = Json::array();
    for (const BindMount& mount : spec_.mounts)
      mounts.push_back(bind_mount(mount.host_path, mount.job_path, mount.writable));
    mounts.push_back(bind_mount(places_.code_copy, kContainerCodePath, true));
    for (Json& mount : host().value("Mounts", Json::array())) mounts.push_back(std::move(mount));
    host()["Mounts"] = std::move(mounts);
  }

  void resources() {
    if (!spec_.network && !host().contains("NetworkMode")) host()["NetworkMode"] = "none";
    if (spec_.resources.memory_bytes > 0 && !host().contains("Memory")) {
      host()["Memory"] = spec_.resources.memory_bytes;
      // The engine would allow as much of swap again.
      if (!host().contains("MemorySwap")) host()["MemorySwap"] = spec_.resources.memory_bytes;
    }
    if (!spec_.gpu_ids.empty() && !host().contains("DeviceRequests") && !host().contains("Runtime"))
      host()["DeviceRequests"] = {{{"Driver", ""},
                                   {"Count", 0},
                                   {"DeviceIDs", spec_.gpu_ids},
                                   {"Capabilities", {{"gpu"}}},
                                   {"Options", Json::object()}}};
  }

  void through_plz_init() {
    std::string wanted = user();
    bool as_root = root_is_capable(host());
    InitSpec& init = plan_.init;
    init.mode = InitMode::container;
    init.command = command_;
    init.directory = body_["WorkingDir"].get<std::string>();
    init.attributes.umask = spec_.attributes.umask;
    init.code_source = std::string(kContainerJobRoot) + "/code";
    init.code_target = kContainerCodePath;
    init.stop_signal = plan_.stop_signal;
    init.give_back = {kContainerCodePath};
    for (const BindMount& mount : spec_.mounts)
      if (mount.writable) init.give_back.push_back(mount.job_path);
    if (as_root) {
      init.user = wanted.empty() ? "0" : wanted;
      for (const Json& group : host().value("GroupAdd", Json::array())) init.groups.push_back(group.get<std::string>());
      host().erase("GroupAdd");
      bool has_home = has_variable(body_["Env"], "HOME") || has_variable(Json(image_.environment), "HOME");
      init.set_home = !has_home;
    }
    body_["User"] = as_root ? "0:0" : wanted;
    body_["Entrypoint"] = {kContainerInitPath};
    body_["Cmd"] = {"container", kContainerAttemptPath};
    host()["Init"] = false;  // plz-init is one
    host()["LogConfig"] = {{"Type", "none"}, {"Config", Json::object()}};
    host()["Mounts"].push_back(bind_mount(places_.plz_init, kContainerInitPath, false));
    host()["Mounts"].push_back(bind_mount(places_.attempt, kContainerAttemptPath, true));
    host()["Mounts"].push_back(bind_mount(spec_.code_tree, init.code_source, false));
  }

  void plain() {
    auto middle = command_.begin() + static_cast<std::ptrdiff_t>(entrypoint_size_);
    body_["Entrypoint"] = std::vector<std::string>(command_.begin(), middle);
    body_["Cmd"] = std::vector<std::string>(middle, command_.end());
    body_["User"] = user();
  }

  const LaunchSpec& spec_;
  const ImageDetails& image_;
  const ContainerPlaces& places_;
  Json body_;
  std::vector<std::string> command_;  // entrypoint and command
  size_t entrypoint_size_ = 0;
  ContainerPlan plan_;
};

}  // namespace

Result<ContainerPlan> plan_container(const LaunchSpec& spec, const ImageDetails& image, const ContainerPlaces& places) {
  return Planner(spec, image, places).plan();
}

JsonText plan_give_back(const std::string& image, const AttemptPaths& paths, const ContainerPlaces& places,
                        const Labels& labels) {
  Json mounts = {bind_mount(places.plz_init, kContainerInitPath, false),
                 bind_mount(places.attempt, kContainerAttemptPath, true),
                 bind_mount(paths.output(), "/plz/output", true), bind_mount(paths.measures(), "/plz/measures", true),
                 bind_mount(places.code_copy, kContainerCodePath, true)};
  Json body = {{"Image", image},
               {"Entrypoint", {kContainerInitPath}},
               {"Cmd", {"give-back", kContainerAttemptPath, kContainerCodePath, "/plz/output", "/plz/measures"}},
               {"User", "0:0"},
               {"WorkingDir", "/"},
               {"Labels", labels},
               {"Healthcheck", {{"Test", {"NONE"}}}},
               {"HostConfig", {{"NetworkMode", "none"}, {"UsernsMode", "host"}, {"Mounts", mounts}}}};
  return {dumped(body)};
}

Labels container_labels(const LaunchSpec& spec, const std::string& controller) {
  return {{kLabelExecution, spec.execution_id.to_string()},
          {kLabelAttempt, spec.attempt_id.to_string()},
          {kLabelController, controller}};
}

std::optional<int> signal_number(const std::string& name) {
  int number = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error == std::errc() && end == name.data() + name.size())
    return number > 0 && number <= SIGRTMAX ? std::optional(number) : std::nullopt;
  std::string bare = name.starts_with("SIG") ? name.substr(3) : name;
  for (int candidate = 1; candidate < 32; ++candidate) {
    const char* abbreviation = sigabbrev_np(candidate);
    if (abbreviation && bare == abbreviation) return candidate;
  }
  if (bare.starts_with("RTMIN")) {
    int offset = bare.size() > 6 ? atoi(bare.c_str() + 6) : 0;
    return SIGRTMIN + offset <= SIGRTMAX ? std::optional(SIGRTMIN + offset) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace plz
