#include "worker/runtime_choice.h"

namespace plz {
namespace {

constexpr char kDocker[] = "docker";
constexpr char kProcess[] = "process";
constexpr char kNotForRoot[] =
    "a job of root's is not run unboxed, as a plain process, unless that is asked for: \"runtime\": \"process\" in "
    "plz.config.json, PLZ_RUNTIME=process, or --runtime process";

void add(std::string& reasons, const RuntimeFingerprint& runtime, const std::string& words) {
  reasons += (reasons.empty() ? "" : "; ") + runtime.name + ": " + words;
}

}  // namespace

bool is_runtime_for(const ExecutionSpec& spec, const RuntimeFingerprint& runtime) {
  if (spec.snapshot.environment.uses_container()) return runtime.name == kDocker;
  return runtime.name != kDocker && (spec.runtime.empty() || spec.runtime == runtime.name);
}

RuntimeChoice choose_runtime(const ExecutionSpec& spec, const std::vector<RuntimeFingerprint>& runtimes, bool is_root) {
  std::string reasons, unboxed;
  for (size_t i = 0; i < runtimes.size(); ++i) {
    const RuntimeFingerprint& runtime = runtimes[i];
    if (!is_runtime_for(spec, runtime)) continue;
    const bool is_unasked_process = runtime.name == kProcess && spec.runtime != kProcess;
    if (is_unasked_process && is_root) {
      add(reasons, runtime, kNotForRoot);
      continue;
    }
    if (runtime.available) return {i, "", is_unasked_process ? unboxed : ""};
    if (runtime.may_come_back) return {i};
    add(reasons, runtime, runtime.detail);
    unboxed += (unboxed.empty() ? "" : "; ") + runtime.detail;
  }
  if (reasons.empty())
    reasons = spec.snapshot.environment.uses_container() ? "it has none for container images"
              : spec.runtime.empty()                     ? "it has none"
                                                         : "it has no " + spec.runtime;
  return {0, "no runtime of this worker can run the job: " + reasons};
}

}  // namespace plz
