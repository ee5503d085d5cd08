#include "worker/steps/launch_spec.h"

#include <utility>

#include "worker/steps/job_environment.h"

namespace plz {
namespace {

// The person's own places stay visible where they lie below something private or hidden.
std::vector<std::string> visible_paths(const EnvironmentVariables& shell) {
  std::vector<std::string> paths;
  for (auto name : {"HOME", "PWD", "VIRTUAL_ENV", "CONDA_PREFIX"}) {
    std::string path = variable_of(shell, name);
    if (path.starts_with('/') && path != "/") paths.push_back(path);
  }
  return paths;
}

std::vector<BindMount> mounts(const AttemptPaths& paths, const JobTrees& trees, const Runtime& runtime) {
  std::vector<BindMount> mounts = {{paths.output(), runtime.job_path(paths, "output"), true},
                                   {paths.measures(), runtime.job_path(paths, "measures"), true},
                                   {paths.configuration(), runtime.job_path(paths, "configuration"), false}};
  if (!trees.input.empty()) mounts.push_back({trees.input, runtime.job_path(paths, "input"), false});
  return mounts;
}

}  // namespace

LaunchSpec make_launch_spec(const AttemptPaths& paths, const Assignment& assignment, const JobTrees& trees,
                            const Runtime& runtime, const JobHost& host) {
  const ExecutionSpec& spec = assignment.spec;
  LaunchSpec launch;
  launch.attempt_id = assignment.attempt_id;
  launch.execution_id = assignment.execution_id;
  launch.paths = paths;
  launch.command = spec.command;
  launch.docker_run_args = spec.docker_run_args;
  JobPlaces places{runtime.job_path(paths, "code"), runtime.job_path(paths, "configuration")};
  launch.environment = job_environment(assignment, places, host.capacity);
  launch.attributes = assignment.process_attributes;
  launch.code_tree = trees.code;
  launch.mounts = mounts(paths, trees, runtime);
  launch.hidden_paths = host.hidden_paths;
  if (host.paths_of_plz)
    for (auto& path : host.paths_of_plz()) launch.hidden_paths.push_back(std::move(path));
  launch.visible_paths = visible_paths(assignment.shell_environment);
  launch.home_cache = trees.cache;
  launch.home_downloads = trees.downloads;
  launch.network = spec.network;
  launch.resources = spec.resources;
  launch.gpu_ids = assignment.gpu_ids;
  return launch;
}

}  // namespace plz
