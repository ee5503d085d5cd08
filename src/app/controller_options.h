// plz-controller's settings: flags, and a TOML file of the same names (flags win): the one given, else
// controller.toml in the data directory, which is how an embedded controller is told.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/patience.h"
#include "base/result.h"

namespace plz {

struct ControllerOptions {
  bool embedded = false;
  std::string data_directory;
  std::string socket;  // of a unix socket to listen on
  std::string listen;  // "ADDRESS:PORT" to listen on, with TLS if a certificate is set
  std::string tls_certificate, tls_key;
  double idle_minutes = 10;  // embedded: ends after so long without work; 0: never
  // Of the worker on this machine, with a full disk of ours: see base/patience.h.
  double storage_patience_minutes = std::chrono::duration<double, std::ratio<60>>(kPatienceWithStorage).count();
  std::string worker_program;  // empty: plz-worker beside this program
  bool no_local_worker = false;
  int ready_fd = -1;  // "ready\n" or an error is written here once
  LogLevel log_level = LogLevel::info;
  std::string log_file;           // empty: stderr
  std::string images_repository;  // where workers push the images that they build; empty: nowhere
  // Of the worker on this machine; see environment/environment_settings.h.
  std::string images_base, images_build_network;
  double images_limit_gib = 20;
  // Of the worker on this machine; 0: as it has them by itself.
  double cache_gib = 0;
  double tree_entries = 0, tree_depth = 0, tree_gib = 0;
  double measure_files = 0, measure_directories = 0, measure_gib = 0;
};

// An int instead of options: the program is to end with that status (help, version, usage error).
struct ParsedControllerOptions {
  std::optional<ControllerOptions> options;
  int exit_status = 0;
};
ParsedControllerOptions parse_controller_options(int argc, char** argv);

}  // namespace plz
