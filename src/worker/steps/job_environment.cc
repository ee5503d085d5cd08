#include "worker/steps/job_environment.h"

#include <algorithm>
#include <cstdlib>

#include "wire/json_reader.h"
#include "wire/shape.h"

namespace plz {
namespace {

// Of docker_run_args: whether they say how GPUs come into the container.
struct DeviceArguments {
  bool are_given = false;
};

}  // namespace

template <>
struct Shape<DeviceArguments> {
  static void members(auto& json, auto& value) { value.are_given = json.has("runtime") || json.has("device_requests"); }
};

namespace {

// In the order of their first appearance; a later value replaces an earlier one.
class VariableSet {
 public:
  void set(std::string_view name, std::string value) {
    auto known = find(name);
    if (known != variables_.end()) known->second = std::move(value);
    else variables_.emplace_back(name, std::move(value));
  }
  void set_unless_there(std::string_view name, std::string value) {
    if (find(name) == variables_.end()) variables_.emplace_back(name, std::move(value));
  }
  EnvironmentVariables take() { return std::move(variables_); }

 private:
  EnvironmentVariables::iterator find(std::string_view name) {
    return std::find_if(variables_.begin(), variables_.end(), [&](const auto& v) { return v.first == name; });
  }
  EnvironmentVariables variables_;
};

// These speak of the shell, not of the job: the job has a directory and a /tmp of its own.
bool is_of_the_shell(std::string_view name) {
  constexpr std::string_view kNames[] = {"PWD", "OLDPWD", "SHLVL", "_", "TMPDIR", "TMP", "TEMP", "TEMPDIR"};
  return name.starts_with("PLZ_") || std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

EnvironmentVariables without_a_shell() {
  const char* home = getenv("HOME");
  return {{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
          {"HOME", home ? home : "/"},
          {"LANG", "C.UTF-8"}};
}

std::string joined(const std::vector<std::string>& ids) {
  std::string text;
  for (const auto& id : ids) text += (text.empty() ? "" : ",") + id;
  return text;
}

bool configures(const ExecutionSpec& spec, std::string_view name) {
  return std::any_of(spec.environment.begin(), spec.environment.end(),
                     [&](const auto& variable) { return variable.first == name; });
}

bool configures_devices(const ExecutionSpec& spec) {
  auto arguments = read_document<DeviceArguments>(spec.docker_run_args.text);
  return arguments && arguments->are_given;
}

EnvironmentVariables container_environment(const Assignment& assignment, const JobPlaces& places,
                                           const Capacity& capacity) {
  VariableSet variables;
  for (const auto& [name, value] : assignment.spec.environment) variables.set(name, value);
  variables.set_unless_there("PYTHONUNBUFFERED", "1");
  const bool has_gpus = !assignment.gpu_ids.empty();
  if (has_gpus) variables.set("NVIDIA_VISIBLE_DEVICES", joined(assignment.gpu_ids));
  else if (!capacity.gpus.empty() && !configures_devices(assignment.spec))
    variables.set_unless_there("NVIDIA_VISIBLE_DEVICES", "void");
  variables.set("CONFIGURATION_FILE", places.configuration);
  return variables.take();
}

}  // namespace

EnvironmentVariables job_environment(const Assignment& assignment, const JobPlaces& places, const Capacity& capacity) {
  if (assignment.spec.snapshot.environment.uses_container()) return container_environment(assignment, places, capacity);
  VariableSet variables;
  const bool has_shell = !assignment.shell_environment.empty();
  for (const auto& [name, value] : has_shell ? assignment.shell_environment : without_a_shell())
    if (!is_of_the_shell(name)) variables.set(name, value);
  variables.set("PWD", places.code);
  for (const auto& [name, value] : assignment.spec.environment) variables.set(name, value);
  variables.set_unless_there("PYTHONUNBUFFERED", "1");
  const bool has_gpus = !assignment.gpu_ids.empty();
  if (has_gpus || (!capacity.gpus.empty() && !configures(assignment.spec, "CUDA_VISIBLE_DEVICES")))
    variables.set("CUDA_VISIBLE_DEVICES", joined(assignment.gpu_ids));
  variables.set("CONFIGURATION_FILE", places.configuration);
  return variables.take();
}

std::string variable_of(const EnvironmentVariables& variables, std::string_view name) {
  auto found = std::find_if(variables.rbegin(), variables.rend(), [&](const auto& v) { return v.first == name; });
  return found == variables.rend() ? "" : found->second;
}

}  // namespace plz
