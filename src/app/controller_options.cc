#include "app/controller_options.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <toml++/toml.h>

#include "base/nearest.h"
#include "base/version.h"
#include "os/fd.h"
#include "os/file.h"
#include "os/trusted_file.h"

namespace plz {
namespace {

// A key of the settings file and where it goes.
struct Setting {
  std::string_view key;
  std::string ControllerOptions::*text = nullptr;
  bool ControllerOptions::*flag = nullptr;
  double ControllerOptions::*number = nullptr;
};

constexpr Setting kSettings[] = {
    {"data-directory", &ControllerOptions::data_directory},
    {"socket", &ControllerOptions::socket},
    {"listen", &ControllerOptions::listen},
    {"tls-certificate", &ControllerOptions::tls_certificate},
    {"tls-key", &ControllerOptions::tls_key},
    {"worker-program", &ControllerOptions::worker_program},
    {"log-file", &ControllerOptions::log_file},
    {"images.repository", &ControllerOptions::images_repository},
    {"images.base", &ControllerOptions::images_base},
    {"images.build-network", &ControllerOptions::images_build_network},
    {"embedded", nullptr, &ControllerOptions::embedded},
    {"no-local-worker", nullptr, &ControllerOptions::no_local_worker},
    {"idle-minutes", nullptr, nullptr, &ControllerOptions::idle_minutes},
    {"storage-patience-minutes", nullptr, nullptr, &ControllerOptions::storage_patience_minutes},
    {"images.limit-gib", nullptr, nullptr, &ControllerOptions::images_limit_gib},
    {"limits.cache-gib", nullptr, nullptr, &ControllerOptions::cache_gib},
    {"limits.tree-entries", nullptr, nullptr, &ControllerOptions::tree_entries},
    {"limits.tree-depth", nullptr, nullptr, &ControllerOptions::tree_depth},
    {"limits.tree-gib", nullptr, nullptr, &ControllerOptions::tree_gib},
    {"limits.measure-files", nullptr, nullptr, &ControllerOptions::measure_files},
    {"limits.measure-directories", nullptr, nullptr, &ControllerOptions::measure_directories},
    {"limits.measure-gib", nullptr, nullptr, &ControllerOptions::measure_gib},
};

std::string wrong_type(const std::string& place, std::string_view key, std::string_view wanted) {
  return fmt::format("{}: '{}' must be {}", place, key, wanted);
}

// "" or what is wrong.
std::string apply(const Setting& setting, const toml::node& value, const std::string& place,
                  ControllerOptions& options) {
  if (setting.text) {
    auto text = value.value_exact<std::string>();
    if (!text) return wrong_type(place, setting.key, "a string");
    options.*setting.text = *text;
  } else if (setting.flag) {
    auto flag = value.value_exact<bool>();
    if (!flag) return wrong_type(place, setting.key, "true or false");
    options.*setting.flag = *flag;
  } else {
    auto number = value.value<double>();
    if (!number || *number < 0) return wrong_type(place, setting.key, "a number, not below 0");
    options.*setting.number = *number;
  }
  return {};
}

std::string no_such_setting(const std::string& place, const std::string& name) {
  std::vector<std::string_view> known;
  for (const auto& setting : kSettings) known.push_back(setting.key);
  auto near = nearest_name(name, known);
  return fmt::format("{}: there is no setting '{}'{}", place, name, near ? ": did you mean '" + *near + "'?" : "");
}

// Tables are names before a dot: [images] repository is images.repository. "" or what is wrong.
std::string apply_all(const toml::table& table, const std::string& prefix, const std::string& path,
                      ControllerOptions& options) {
  for (const auto& [key, value] : table) {
    const std::string name = prefix + std::string(key.str());
    const auto* found = std::find_if(std::begin(kSettings), std::end(kSettings),
                                     [&](const Setting& setting) { return setting.key == name; });
    const std::string place = fmt::format("{}:{}", path, value.source().begin.line);
    std::string wrong;
    if (found != std::end(kSettings)) wrong = apply(*found, value, place, options);
    else if (value.is_table()) wrong = apply_all(*value.as_table(), name + ".", path, options);
    else wrong = no_such_setting(place, name);
    if (!wrong.empty()) return wrong;
  }
  return {};
}

std::string read_settings(const std::string& path, ControllerOptions& options) {
  toml::table table;
  try {
    table = toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    return fmt::format("{}:{}:{}: {}", path, error.source().begin.line, error.source().begin.column,
                       error.description());
  }
  return apply_all(table, "", path, options);
}

void describe(CLI::App& app, ControllerOptions& options, std::string& settings_file, std::string& log_level) {
  app.add_option("--config", settings_file,
                 "TOML file with these settings by their long names; flags win. Default: controller.toml in the data "
                 "directory, if it is there");
  app.add_flag(
      "--embedded", options.embedded,
      "private to one user, on a unix socket, with a worker on this machine; ends when idle. Started by plz itself");
  app.add_option("--data-directory", options.data_directory, "where database, store and logs lie")->required(false);
  app.add_option("--socket", options.socket,
                 "unix socket to listen on (controller.sock in the data directory, for the worker on this machine)");
  app.add_option("--listen", options.listen, "ADDRESS:PORT to listen on");
  app.add_option("--tls-certificate", options.tls_certificate, "PEM file: makes --listen speak TLS");
  app.add_option("--tls-key", options.tls_key, "PEM file of the certificate's key");
  app.add_option("--idle-minutes", options.idle_minutes, "embedded: end after so long without work (0: never)")
      ->capture_default_str();
  app.add_option(
         "--storage-patience-minutes", options.storage_patience_minutes,
         "how long log and output of a job that is over wait for room on a full disk; then they are kept beside "
         "the worker on this machine")
      ->capture_default_str();
  app.add_option("--worker-program", options.worker_program, "path of plz-worker, if it is not beside this program");
  app.add_flag("--no-local-worker", options.no_local_worker, "start no worker on this machine");
  app.add_option("--images.repository", options.images_repository,
                 "where workers push the images that they build, and look for them first: HOST[:PORT]/NAME");
  app.add_option("--images.base", options.images_base,
                 "what plz/python and plz/pytorch are made from, in place of Debian's image");
  app.add_option("--images.build-network", options.images_build_network,
                 "the network of RUN while an image is built: host, none, bridge or a network's name");
  app.add_option("--images.limit-gib", options.images_limit_gib,
                 "how much of the engine's disk images built by plz may take on this machine (0: no limit)")
      ->capture_default_str();
  app.add_option("--limits.cache-gib", options.cache_gib,
                 "how large this machine's cache of code and input may grow (20, or a tenth of the disk)");
  app.add_option("--limits.tree-entries", options.tree_entries,
                 "how many files and directories one tree of code or input may have on this machine (50000000)");
  app.add_option("--limits.tree-depth", options.tree_depth, "how deep they may lie in each other (2000)");
  app.add_option("--limits.tree-gib", options.tree_gib, "how large its files may be in all (65536)");
  app.add_option("--limits.measure-files", options.measure_files,
                 "how many measures an execution on this machine may have at a time (500000)");
  app.add_option("--limits.measure-directories", options.measure_directories, "and directories of them (100000)");
  app.add_option("--limits.measure-gib", options.measure_gib,
                 "how large all values of them may be that it ever wrote (4)");
  app.add_option("--ready-fd", options.ready_fd, "file descriptor to which 'ready' or an error is written once");
  app.add_option("--log-level", log_level, "debug, info, warning or error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
  app.add_option("--log-file", options.log_file, "file to append this program's own log to (default: stderr)");
  app.set_version_flag("--version", std::string(plz_version()));
}

// Whoever starts a controller for a person does not know of its settings.
std::string settings_file_in(const std::string& data_directory) {
  if (data_directory.empty()) return {};
  std::string path = data_directory + "/controller.toml";
  return path_exists(path) ? path : std::string();
}

// What is read because it lies there must not be somebody else's.
Result<void> check_own_settings(const std::string& path) {
  if (path.empty()) return {};
  const char* sudo_uid = getenv("SUDO_UID");
  return check_trusted_file(path, {trusted_owners(sudo_uid ? sudo_uid : ""), {}, {}});
}

LogLevel level_of(const std::string& name) {
  if (name == "debug") return LogLevel::debug;
  if (name == "warning") return LogLevel::warning;
  if (name == "error") return LogLevel::error;
  return LogLevel::info;
}

ParsedControllerOptions usage_error(const std::string& words, int ready_fd = -1) {
  if (ready_fd >= 0) (void)write_all(ready_fd, words + "\n");
  fputs(("plz-controller: " + words + "\nplz-controller --help shows the settings\n").c_str(), stderr);
  return {std::nullopt, 2};
}

}  // namespace

ParsedControllerOptions parse_controller_options(int argc, char** argv) {
  ControllerOptions from_flags, options;
  std::string settings_file, log_level = "info";
  CLI::App app("The service of plz: keeps executions, logs, measures and the store, and hands work to workers.",
               "plz-controller");
  describe(app, from_flags, settings_file, log_level);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return {std::nullopt, app.exit(error)};
    return usage_error(error.what());
  }
  if (settings_file.empty()) {
    settings_file = settings_file_in(from_flags.data_directory);
    if (auto trusted = check_own_settings(settings_file); !trusted)
      return usage_error(trusted.error().message, from_flags.ready_fd);
  }
  if (!settings_file.empty()) {
    if (auto wrong = read_settings(settings_file, options); !wrong.empty())
      return usage_error(wrong, from_flags.ready_fd);
    // Flags win: parse them again over what the file said.
    CLI::App again;
    describe(again, options, settings_file, log_level);
    again.parse(argc, argv);
  } else {
    options = from_flags;
  }
  options.log_level = level_of(log_level);
  if (options.data_directory.empty()) return usage_error("--data-directory is missing");
  if (options.socket.empty() && options.listen.empty()) return usage_error("give --socket or --listen");
  if (options.tls_certificate.empty() != options.tls_key.empty())
    return usage_error("--tls-certificate and --tls-key belong together");
  return {options, 0};
}

}  // namespace plz
