#include "app/controller_options.h"

#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <toml++/toml.h>

#include "app/version.h"
#include "base/nearest.h"

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
    {"embedded", nullptr, &ControllerOptions::embedded},
    {"no-local-worker", nullptr, &ControllerOptions::no_local_worker},
    {"idle-minutes", nullptr, nullptr, &ControllerOptions::idle_minutes},
};

std::string wrong_type(const std::string& path, std::string_view key, std::string_view wanted) {
  return fmt::format("{}: '{}' must be {}", path, key, wanted);
}

// "" or what is wrong.
std::string apply(const Setting& setting, const toml::node& value, const std::string& path, ControllerOptions& options) {
  if (setting.text) {
    auto text = value.value_exact<std::string>();
    if (!text) return wrong_type(path, setting.key, "a string");
    options.*setting.text = *text;
  } else if (setting.flag) {
    auto flag = value.value_exact<bool>();
    if (!flag) return wrong_type(path, setting.key, "true or false");
    options.*setting.flag = *flag;
  } else {
    auto number = value.value<double>();
    if (!number || *number < 0) return wrong_type(path, setting.key, "a number, not below 0");
    options.*setting.number = *number;
  }
  return {};
}

std::string read_settings(const std::string& path, ControllerOptions& options) {
  toml::table table;
  try {
    table = toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    return fmt::format("{}:{}:{}: {}", path, error.source().begin.line, error.source().begin.column, error.description());
  }
  std::vector<std::string_view> known;
  for (const auto& setting : kSettings) known.push_back(setting.key);
  for (const auto& [key, value] : table) {
    const Setting* found = nullptr;
    for (const auto& setting : kSettings)
      if (setting.key == key.str()) found = &setting;
    if (!found) {
      auto near = nearest_name(key.str(), known);
      return fmt::format("{}: there is no setting '{}'{}", path, std::string(key.str()), near ? ": did you mean '" + *near + "'?" : "");
    }
    if (auto wrong = apply(*found, value, path, options); !wrong.empty()) return wrong;
  }
  return {};
}

void describe(CLI::App& app, ControllerOptions& options, std::string& settings_file, std::string& log_level) {
  app.add_option("--config", settings_file, "TOML file with these settings by their long names; flags win");
  app.add_flag("--embedded", options.embedded,
               "private to one user, on a unix socket, with a worker on this machine; ends when idle. Started by plz itself");
  app.add_option("--data-directory", options.data_directory, "where database, store and logs lie")->required(false);
  app.add_option("--socket", options.socket, "unix socket to listen on");
  app.add_option("--listen", options.listen, "ADDRESS:PORT to listen on");
  app.add_option("--tls-certificate", options.tls_certificate, "PEM file: makes --listen speak TLS");
  app.add_option("--tls-key", options.tls_key, "PEM file of the certificate's key");
  app.add_option("--idle-minutes", options.idle_minutes, "embedded: end after so long without work (0: never)")
      ->capture_default_str();
  app.add_option("--worker-program", options.worker_program, "path of plz-worker, if it is not beside this program");
  app.add_flag("--no-local-worker", options.no_local_worker, "start no worker on this machine");
  app.add_option("--ready-fd", options.ready_fd, "file descriptor to which 'ready' or an error is written once");
  app.add_option("--log-level", log_level, "debug, info, warning or error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
  app.add_option("--log-file", options.log_file, "file to append this program's own log to (default: stderr)");
  app.set_version_flag("--version", std::string(kVersion));
}

LogLevel level_of(const std::string& name) {
  if (name == "debug") return LogLevel::debug;
  if (name == "warning") return LogLevel::warning;
  if (name == "error") return LogLevel::error;
  return LogLevel::info;
}

ParsedControllerOptions usage_error(const std::string& words) {
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
  if (!settings_file.empty()) {
    if (auto wrong = read_settings(settings_file, options); !wrong.empty()) return usage_error(wrong);
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
