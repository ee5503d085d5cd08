#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <fmt/core.h>

#include "app/data_registry.h"
#include "app/engine_pool.h"
#include "app/machine_capacity.h"
#include "app/program_path.h"
#include "app/signals.h"
#include "app/worker_options.h"
#include "base/caught.h"
#include "base/log.h"
#include "base/version.h"
#include "os/file.h"
#include "os/lock_file.h"
#include "os/own_process.h"
#include "provider/local/local_provider.h"
#include "runtime/process/process_runtime.h"
#include "runtime/sandbox/sandbox_runtime.h"
#include "worker/agent.h"

namespace plz {
namespace {

// A local worker ends by itself when its controller has been away for so long and no job is left.
constexpr std::chrono::minutes kGiveUpAfter{15};

AgentSettings settings_of(const WorkerOptions& options, const Machine& machine) {
  AgentSettings settings;
  settings.directory = options.directory;
  settings.instance_id = options.instance;
  settings.version = plz_version();
  settings.host_name = machine.host_name;
  settings.capacity = capacity_of(machine);
  if (!options.data_directory.empty()) settings.hidden_paths.push_back(options.data_directory);
  if (options.controller.kind == Endpoint::Kind::unix_socket)
    settings.hidden_paths.push_back(parent_path(options.controller.path));
  settings.paths_of_plz = [places = registry_places()] { return paths_of_plz(places); };
  settings.cache_limit_bytes = options.cache_limit_bytes;
  settings.tree_limits = options.tree_limits;
  settings.storage_patience = options.storage_patience;
  settings.measure_limits = options.measure_limits;
  settings.give_up_after = kGiveUpAfter;
  settings.is_root = geteuid() == 0;
  return settings;
}

// The directory, or at least the lock in it, was removed under us: another worker may be in our place.
bool lost_place(const WorkerOptions& options, const LockFile& lock) {
  struct stat ours, there;
  if (fstat(lock.fd(), &ours) != 0) return false;
  if (stat(worker_lock_path(options.directory).c_str(), &there) != 0) return errno == ENOENT;
  return ours.st_dev != there.st_dev || ours.st_ino != there.st_ino;
}

Result<void> serve(const WorkerOptions& options, const LockFile& lock) {
  PLZ_TRY(check_address_space("plz-worker"));
  SystemClock clock;
  const char* path = getenv("PATH");
  const std::string init = program_beside("plz-init");
  SandboxRuntime sandbox({init, "", path ? path : "", options.directory});
  ProcessRuntime process(init);
  RemoteController controller(options.controller);
  // The same directory for all: by it this worker is known on every engine.
  EnvironmentSettings images = options.images;
  images.directory = join_path(options.directory, "environments");
  EnginePool engines({init, options.directory}, std::move(images), clock);
  const ContainerEngine own = engines.own();
  Agent agent(settings_of(options, describe_machine()), controller, {&sandbox, &process, own.runtime}, clock,
              own.environments);
  agent.use_engines(engines);

  std::stop_source stop;
  std::jthread signals([&](std::stop_token ended) {
    while (!ended.stop_requested())
      if (wait_for_end_signal(std::chrono::milliseconds(500)) || lost_place(options, lock)) stop.request_stop();
  });
  return agent.run(stop.get_token());
}

// 0: served, or another worker does already.
int run(const WorkerOptions& options) {
  auto fail_with = [](const Error& error) {
    const std::string words = error.message + (error.hint.empty() ? "" : "\n" + error.hint);
    log_error("{}", words);
    fprintf(stderr, "plz-worker: %s\n", words.c_str());
    return 1;
  };
  if (auto made = make_directories(options.directory, 0700); !made) return fail_with(made.error());
  auto lock = LockFile::try_lock(worker_lock_path(options.directory), LockFile::kMoment);
  if (!lock) return fail_with(lock.error());
  if (!*lock) return 0;
  const std::string pid = fmt::format("{}\n", getpid());
  if (ftruncate((*lock)->fd(), 0) != 0 || !pwrite_all((*lock)->fd(), pid, 0))
    log_warning("{} cannot be written", worker_lock_path(options.directory));
  auto served = caught([&] { return serve(options, **lock); });
  return served ? 0 : fail_with(served.error());
}

}  // namespace
}  // namespace plz

int main(int argc, char** argv) {
  plz::end_with_words("plz-worker", 1);
  auto parsed = plz::parse_worker_options(argc, argv);
  if (!parsed.options) return parsed.exit_status;
  plz::close_inherited_descriptors();
  mallopt(M_ARENA_MAX, 2);
  plz::block_end_signals();
  plz::log_start("plz-worker", parsed.options->log_file, parsed.options->log_level);
  plz::add_last_words_to(parsed.options->log_file);
  return plz::run(*parsed.options);
}
