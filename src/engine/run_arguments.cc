#include "engine/run_arguments.h"

#include <algorithm>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/nearest.h"
#include "engine/run_argument_values.h"

namespace plz {
namespace {

namespace values = run_argument_values;
using values::Json;

// Where the engine wants it: in the body itself, or in its HostConfig.
enum class Place { body, host };

struct Argument {
  std::string_view name;
  Place place;
  const char* key;
  Result<Json> (*convert)(const Json&);
};

constexpr Argument kArguments[] = {
    {"blkio_weight", Place::host, "BlkioWeight", values::integer},
    {"blkio_weight_device", Place::host, "BlkioWeightDevice", values::objects},
    {"cap_add", Place::host, "CapAdd", values::texts},
    {"cap_drop", Place::host, "CapDrop", values::texts},
    {"cgroup_parent", Place::host, "CgroupParent", values::text},
    {"cpu_count", Place::host, "CpuCount", values::integer},
    {"cpu_percent", Place::host, "CpuPercent", values::integer},
    {"cpu_period", Place::host, "CpuPeriod", values::integer},
    {"cpu_quota", Place::host, "CpuQuota", values::integer},
    {"cpu_rt_period", Place::host, "CPURealtimePeriod", values::integer},
    {"cpu_rt_runtime", Place::host, "CPURealtimeRuntime", values::integer},
    {"cpu_shares", Place::host, "CpuShares", values::integer},
    {"cpuset_cpus", Place::host, "CpusetCpus", values::text},
    {"cpuset_mems", Place::host, "CpusetMems", values::text},
    {"device_cgroup_rules", Place::host, "DeviceCgroupRules", values::texts},
    {"device_read_bps", Place::host, "BlkioDeviceReadBps", values::objects},
    {"device_read_iops", Place::host, "BlkioDeviceReadIOps", values::objects},
    {"device_requests", Place::host, "DeviceRequests", values::device_requests},
    {"device_write_bps", Place::host, "BlkioDeviceWriteBps", values::objects},
    {"device_write_iops", Place::host, "BlkioDeviceWriteIOps", values::objects},
    {"devices", Place::host, "Devices", values::devices},
    {"dns", Place::host, "Dns", values::texts},
    {"dns_opt", Place::host, "DnsOptions", values::texts},
    {"dns_search", Place::host, "DnsSearch", values::texts},
    {"domainname", Place::body, "Domainname", values::text},
    {"entrypoint", Place::body, "Entrypoint", values::words},
    {"environment", Place::body, "Env", values::environment},
    {"extra_hosts", Place::host, "ExtraHosts", values::extra_hosts},
    {"group_add", Place::host, "GroupAdd", values::texts_or_numbers},
    {"healthcheck", Place::body, "Healthcheck", values::healthcheck},
    {"hostname", Place::body, "Hostname", values::text},
    {"init", Place::host, "Init", values::boolean},
    {"ipc_mode", Place::host, "IpcMode", values::text},
    {"kernel_memory", Place::host, "KernelMemory", values::bytes},
    {"labels", Place::body, "Labels", values::labels},
    {"links", Place::host, "Links", values::links},
    {"log_config", Place::host, "LogConfig", values::log_config},
    {"mac_address", Place::body, "MacAddress", values::text},
    {"mem_limit", Place::host, "Memory", values::bytes},
    {"mem_reservation", Place::host, "MemoryReservation", values::bytes},
    {"mem_swappiness", Place::host, "MemorySwappiness", values::integer},
    {"memswap_limit", Place::host, "MemorySwap", values::bytes},
    {"mounts", Place::host, "Mounts", values::mounts},
    {"nano_cpus", Place::host, "NanoCpus", values::integer},
    {"network", Place::host, "NetworkMode", values::text},
    {"network_disabled", Place::body, "NetworkDisabled", values::boolean},
    {"network_mode", Place::host, "NetworkMode", values::text},
    {"oom_kill_disable", Place::host, "OomKillDisable", values::boolean},
    {"oom_score_adj", Place::host, "OomScoreAdj", values::integer},
    {"pid_mode", Place::host, "PidMode", values::text},
    {"pids_limit", Place::host, "PidsLimit", values::integer},
    {"ports", Place::host, "PortBindings", values::port_bindings},
    {"privileged", Place::host, "Privileged", values::boolean},
    {"publish_all_ports", Place::host, "PublishAllPorts", values::boolean},
    {"read_only", Place::host, "ReadonlyRootfs", values::boolean},
    {"runtime", Place::host, "Runtime", values::text},
    {"security_opt", Place::host, "SecurityOpt", values::texts},
    {"shm_size", Place::host, "ShmSize", values::bytes},
    {"stop_signal", Place::body, "StopSignal", values::text_or_number},
    {"storage_opt", Place::host, "StorageOpt", values::text_members},
    {"sysctls", Place::host, "Sysctls", values::value_members},
    {"tmpfs", Place::host, "Tmpfs", values::tmpfs},
    {"ulimits", Place::host, "Ulimits", values::ulimits},
    {"user", Place::body, "User", values::text_or_number},
    {"userns_mode", Place::host, "UsernsMode", values::host_word},
    {"uts_mode", Place::host, "UTSMode", values::host_word},
    {"volume_driver", Place::host, "VolumeDriver", values::text},
    {"volumes", Place::host, "Binds", values::volumes},
    {"volumes_from", Place::host, "VolumesFrom", values::texts_by_comma},
    {"working_dir", Place::body, "WorkingDir", values::text},
};

// Known to the SDK, or likely to be tried, and not to be had here.
struct Refused {
  std::string_view name, why, hint;
};

constexpr std::string_view kOwnLog = "plz reads what a job prints itself";
constexpr Refused kRefused[] = {
    {"auto_remove", "plz removes the container once its end is recorded", "leave it out"},
    {"command", "the command is plz's own", "set `command`, or write it after --"},
    {"cpus", "is no argument of the Docker SDK", "set `nano_cpus`, or `resources.cpus` beside docker_run_args"},
    {"detach", "a job runs without the shell that submitted it anyway", "leave it out, or use plz run -d"},
    {"gpus", "is no argument of the Docker SDK", "set `device_requests`, or `resources.gpus` beside docker_run_args"},
    {"image", "the image is plz's own", "set `image` beside docker_run_args"},
    {"init_path", "engines since 2017 do not take it", "leave it out"},
    {"isolation", "it is for Windows", "leave it out"},
    {"lxc_conf", "engines do not take it any more", "leave it out"},
    {"memory", "is no argument of the Docker SDK", "set `mem_limit`, or `resources.memory` beside docker_run_args"},
    {"remove", "plz removes the container once its end is recorded", "leave it out"},
    {"restart_policy", "a job runs once; whether it runs again is for plz to decide", "leave it out"},
    {"stderr", kOwnLog, "leave it out"},
    {"stdin_open", "a job has no standard input", "leave it out"},
    {"stdout", kOwnLog, "leave it out"},
    {"stream", kOwnLog, "leave it out"},
    {"tty", "a job has no terminal", "leave it out"},
    {"use_config_proxy", "plz does not read proxies from Docker's configuration", "set them in `environment`"},
    {"version", "plz asks the engine for the version of its API", "leave it out"},
};

template <typename Entry, size_t size>
const Entry* find(const Entry (&entries)[size], std::string_view name) {
  auto found = std::find_if(std::begin(entries), std::end(entries), [&](const Entry& e) { return e.name == name; });
  return found == std::end(entries) ? nullptr : &*found;
}

tl::unexpected<Error> unknown(const std::string& at, std::string_view name) {
  std::vector<std::string_view> names = {"name", "platform"};
  for (const Argument& argument : kArguments) names.push_back(argument.name);
  auto nearest = nearest_name(name, names);
  std::string hint = nearest ? fmt::format("did you mean \"{}\"?", *nearest)
                             : "its arguments are those of containers.run of the Docker SDK for Python";
  return fail(ErrorCode::invalid, at + ": there is no such argument", std::move(hint));
}

Result<void> take_text(const std::string& at, const Json& value, std::string& target) {
  auto text = values::text(value);
  if (!text) return fail(std::move(text).error().with_context(at));
  target = text->get<std::string>();
  return {};
}

// The SDK leaves out what is empty, as the engine would have it anyway.
bool is_unset(const Json& value) { return value.is_null(); }

Result<void> take(const std::string& name, const Json& value, Json& body, RunArguments& read) {
  std::string at = "docker_run_args." + name;
  if (const Refused* refused = find(kRefused, name))
    return fail(ErrorCode::invalid, fmt::format("{}: {}", at, refused->why), std::string(refused->hint));
  if (is_unset(value)) return {};
  if (name == "name") return take_text(at, value, read.name);
  if (name == "platform") return take_text(at, value, read.platform);
  const Argument* argument = find(kArguments, name);
  if (!argument) return unknown(at, name);
  auto converted = argument->convert(value);
  if (!converted) return fail(std::move(converted).error().with_context(at));
  Json& place = argument->place == Place::body ? body : body["HostConfig"];
  place[argument->key] = std::move(*converted);
  return {};
}

}  // namespace

Result<RunArguments> read_run_arguments(const JsonText& arguments) {
  Json all = Json::parse(arguments.text, nullptr, /*allow_exceptions=*/false);
  if (!all.is_object()) return fail(ErrorCode::invalid, "docker_run_args: must be an object");
  auto is_given = [&](const char* name) { return all.contains(name) && !all[name].is_null(); };
  if (is_given("network") && is_given("network_mode"))
    return fail(ErrorCode::invalid, "docker_run_args.network: cannot stand beside network_mode", "give one of the two");
  RunArguments read;
  Json body = Json::object();
  for (const auto& [name, value] : all.items()) PLZ_TRY(take(name, value, body, read));
  if (auto host = body.find("HostConfig"); host != body.end() && host->contains("PortBindings"))
    for (const auto& [port, bindings] : (*host)["PortBindings"].items()) body["ExposedPorts"][port] = Json::object();
  read.create_body.text = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  return read;
}

}  // namespace plz
