#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <utility>

#include <fmt/core.h>

#include "app/controller_options.h"
#include "app/data_directory.h"
#include "app/data_registry.h"
#include "app/file_ownership.h"
#include "app/listening_socket.h"
#include "app/machine_capacity.h"
#include "app/program_path.h"
#include "app/recovery_command.h"
#include "app/signals.h"
#include "base/caught.h"
#include "base/log.h"
#include "base/version.h"
#include "controller/controller.h"
#include "db/sqlite/sqlite_database.h"
#include "logs/file_log_store.h"
#include "net/http_server.h"
#include "os/file.h"
#include "os/machine.h"
#include "os/own_process.h"
#include "provider/local/local_provider.h"
#include "store/local/local_pack_store.h"

namespace plz {
namespace {

using std::chrono::milliseconds;

// Of what is destroyed before the database is.
class EndNote {
 public:
  explicit EndNote(FileOwnership& ownership) : ownership_(ownership) {}
  ~EndNote() { ownership_.note_end(); }
  EndNote(const EndNote&) = delete;
  EndNote& operator=(const EndNote&) = delete;

 private:
  FileOwnership& ownership_;
};

// Whoever started us waits for one line on this descriptor.
void tell_starter(const ControllerOptions& options, std::string_view words) {
  if (options.ready_fd < 0) return;
  (void)write_all(options.ready_fd, words);
  close(options.ready_fd);
}

Result<void> listen(HttpServer& server, const ControllerOptions& options) {
  if (!options.socket.empty()) {
    PLZ_ASSIGN(UniqueFd socket, listen_on_unix_socket(options.socket));
    PLZ_TRY(server.listen_unix(std::move(socket)));
  }
  if (options.listen.empty()) return {};
  size_t colon = options.listen.rfind(':');
  int port = colon == std::string::npos ? -1 : atoi(options.listen.c_str() + colon + 1);
  if (port < 0 || port > 65535)
    return fail(ErrorCode::invalid, fmt::format("--listen must be ADDRESS:PORT, not '{}'", options.listen));
  const std::string address = options.listen.substr(0, colon);
  auto bound = options.tls_certificate.empty() ? server.listen_tcp(address, static_cast<uint16_t>(port))
                                               : server.listen_tls(address, static_cast<uint16_t>(port),
                                                                   {options.tls_certificate, options.tls_key});
  if (!bound) return fail(std::move(bound).error());
  log_info("listening on {}:{}", address, *bound);
  return {};
}

bool wants_to_end(const Controller& controller, const ControllerOptions& options) {
  if (controller.shutdown_requested()) return true;
  // A runtime directory is emptied at logout. Nobody could reach us, and nobody else may start meanwhile.
  if (options.embedded && !path_exists(options.socket)) return true;
  if (!options.embedded || options.idle_minutes <= 0) return false;
  return controller.idle_for() > milliseconds(static_cast<int64_t>(options.idle_minutes * 60'000));
}

constexpr double kGib = 1u << 30;
constexpr double kMost = 1e18;        // a worker counts in 64 bits
constexpr double kMostSeconds = 1e7;  // as --storage-patience takes

std::string whole(double number) { return fmt::format("{:.0f}", std::min(number, kMost)); }

// Of the worker on this machine: those that are set.
std::vector<std::string> limit_arguments(const ControllerOptions& options) {
  const std::pair<const char*, double> limits[] = {
      {"--cache-bytes", options.cache_gib * kGib},
      {"--tree-entries", options.tree_entries},
      {"--tree-depth", options.tree_depth},
      {"--tree-bytes", options.tree_gib * kGib},
      {"--measure-files", options.measure_files},
      {"--measure-directories", options.measure_directories},
      {"--measure-bytes", options.measure_gib * kGib},
  };
  std::vector<std::string> words;
  for (const auto& [flag, limit] : limits)
    if (limit > 0) words.insert(words.end(), {flag, whole(std::ceil(limit))});
  return words;
}

std::vector<std::string> worker_arguments(const ControllerOptions& options) {
  std::vector<std::string> words = limit_arguments(options);
  words.insert(words.end(), {"--images-bytes", whole(options.images_limit_gib * kGib)});
  if (!options.images_base.empty()) words.insert(words.end(), {"--images-base", options.images_base});
  if (!options.images_build_network.empty())
    words.insert(words.end(), {"--images-build-network", options.images_build_network});
  words.insert(words.end(),
               {"--storage-patience", whole(std::min(options.storage_patience_minutes * 60, kMostSeconds))});
  return words;
}

// Each may need three: its own, what wakes its handler, and the pack that it fills. One that could not be accepted
// would wait in silence; one too many is told so.
HttpServerSettings server_settings(uint64_t descriptors) {
  constexpr uint64_t kForAllElse = 256, kOfEach = 3, kLeast = 64;
  HttpServerSettings settings;
  const uint64_t most = descriptors > kForAllElse ? (descriptors - kForAllElse) / kOfEach : 0;
  settings.max_connections = std::min<size_t>(settings.max_connections, std::max(most, kLeast));
  return settings;
}

Result<void> run(ControllerOptions options, std::string& starter_error) {
  PLZ_TRY(check_address_space("plz-controller"));
  PLZ_ASSIGN(DataDirectory data, open_data_directory(options.data_directory));
  register_data_directory(data.path, registry_places());
  // The worker on this machine dials in here, also where all others come by network.
  if (options.socket.empty() && !options.no_local_worker) options.socket = data.path + "/controller.sock";
  SystemClock clock;
  FileOwnership ownership(data);
  PLZ_TRY(ownership.check_files());
  PLZ_ASSIGN(auto database, open_sqlite_database(data.database()));
  PLZ_TRY(ownership.check_owner(database->identity()));
  const EndNote end_note(ownership);
  PLZ_ASSIGN(auto packs, LocalPackStore::open(data.store()));
  PLZ_ASSIGN(auto logs, FileLogStore::open(data.logs()));

  LocalProviderSettings local;
  local.worker_program = options.worker_program.empty() ? program_beside("plz-worker") : options.worker_program;
  local.worker_directory = data.worker();
  local.controller = "unix:" + options.socket;
  local.log_path = data.path + "/worker.log";
  local.hidden_directory = data.path;
  local.worker_arguments = worker_arguments(options);
  const Machine machine = describe_machine();
  local.capacity = capacity_of(machine);
  const DescriptorLimits descriptors = raise_descriptor_limit();
  if (!options.embedded) local.descriptor_limit = descriptors.before;
  LocalProvider provider(local);

  ControllerSettings settings;
  settings.embedded = options.embedded;
  settings.version = plz_version();
  settings.owner_uid = options.embedded ? std::optional<uint32_t>(geteuid()) : std::nullopt;
  settings.images_repository = options.images_repository;
  settings.directories = {data.path, data.store(), data.logs()};
  if (!options.no_local_worker) settings.directories.push_back(data.worker());
  Controller controller(settings, clock, *database, *packs, *logs, provider);
  HttpServer server(server_settings(descriptors.now), [&](Request& request) { return controller.handle(request); });
  PLZ_TRY(ownership.check_packs(database->identity(), controller.context().blobs, *packs));
  PLZ_TRY(ownership.take(database->identity()));
  PLZ_TRY(controller.load());
  PLZ_TRY(listen(server, options));
  PLZ_TRY(server.start());
  log_info("plz-controller {} serves {}", plz_version(), data.path);
  if (!options.socket.empty()) record_address(data, options.socket);
  tell_starter(options, "ready\n");
  starter_error.clear();
  controller.start(!options.no_local_worker);

  bool signalled = false;
  while (!signalled && !wants_to_end(controller, options)) {
    controller.tick();
    signalled = wait_for_end_signal(milliseconds(100));
  }
  const bool idle = !signalled && !controller.shutdown_requested();
  log_info("ending: {}", signalled ? "a signal" : idle ? "idle" : "asked to");
  controller.stop();
  if (idle) controller.shut_down_workers();
  // Followers' streams have no end of their own: whoever reads them comes back to the next controller.
  server.stop(milliseconds(200));
  forget_address(data);
  if (!options.socket.empty()) unlink(options.socket.c_str());
  return {};
}

}  // namespace
}  // namespace plz

int main(int argc, char** argv) {
  plz::end_with_words("plz-controller", 1);
  if (argc > 1 && std::string_view(argv[1]) == "recover") return plz::recovery_main(argc - 1, argv + 1);
  auto parsed = plz::parse_controller_options(argc, argv);
  if (!parsed.options) return parsed.exit_status;
  plz::close_inherited_descriptors({parsed.options->ready_fd});
  // The shell that happens to start it is not the one of jobs to come.
  if (parsed.options->embedded) plz::start_afresh();
  // Many threads that allocate little: few arenas keep the resident memory small.
  mallopt(M_ARENA_MAX, 2);
  plz::block_end_signals();
  plz::log_start("plz-controller", parsed.options->log_file, parsed.options->log_level);
  std::string starter_error = "starting";
  plz::add_last_words_to(parsed.options->log_file);
  auto ran = plz::caught([&] { return plz::run(*parsed.options, starter_error); });
  if (ran) return 0;
  std::string words = ran.error().message + (ran.error().hint.empty() ? "" : "\n" + ran.error().hint);
  if (!starter_error.empty()) plz::tell_starter(*parsed.options, words + "\n");
  plz::log_error("{}", words);
  if (parsed.options->ready_fd < 0) fprintf(stderr, "plz-controller: %s\n", words.c_str());
  return 1;
}
