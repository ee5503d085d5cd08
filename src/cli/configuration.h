// What a person configured: files, environment and flags, merged and checked.
// docs/configuration.md is the reference; configuration_keys.h holds the table of keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/execution.h"
#include "os/trusted_file.h"

namespace plz {

enum class ConnectionSchema { http, https, http_ssh };

struct ConnectionInfo {
  ConnectionSchema schema = ConnectionSchema::http;
  std::string username;             // http-ssh
  std::string path_to_private_key;  // http-ssh; absolute
  std::string path_to_ca_file;      // https; absolute
};

// One member a key. Paths are absolute, whatever source they came from.
struct Configuration {
  std::optional<std::string> host;  // none: the embedded controller
  int port = 80;
  ConnectionInfo connection_info;
  std::string user;
  std::string project;
  std::optional<std::vector<std::string>> command;
  std::optional<std::string> image;
  std::vector<std::string> image_extensions;
  // file:///ABSOLUTE/PATH, input_id://ID or output://EXECUTION[/PATH].
  std::optional<std::string> input;
  std::string context_path;
  std::vector<std::string> excluded_paths;  // globs, relative to context_path
  std::vector<std::string> included_paths;
  bool follow_links = false;
  std::optional<bool> exclude_gitignored_files;  // none: if this is a git checkout
  // At most one of the two is set; load_parameters() reads either. `run -p FILE` is the override
  // {"parameters", FILE, "-p"}.
  std::optional<std::string> parameters_path;
  std::optional<JsonText> parameters;
  MarketSpec market;  // instance_type … instance_max_idle_time_in_minutes
  JsonText docker_run_args{"{}"};
  EnvironmentVariables environment;
  std::vector<std::string> recorded_variables;  // patterns of names
  std::vector<std::string> outputs;             // patterns of paths in the job's working directory
  std::optional<IndexRange> parallel_indices_range;
  int64_t indices_per_execution = 1;
  Resources resources;
  bool wait_anyway = false;
  bool network = true;
  std::string runtime;  // "": what the worker can do best
  bool quiet_build = false;
  bool debug = false;
  std::string log_level = "warning";  // debug, info, warning, error
  bool use_emojis = true;
  JsonText workarounds{"{}"};

  // For files that are honoured for where they lie. safe_directories are the person's own word alone: their file's, or
  // their environment's.
  FileTrust trust;

  bool has_dockerfile = false;  // plz.Dockerfile lies in context_path
  // As merged, for ExecutionSpec::configuration: what some source said, with absolute paths, and user,
  // project and context_path always; keys sorted, without what is none or empty.
  JsonText merged{"{}"};
  std::vector<std::string> warnings;  // sentences, to be shown by who runs a job
};

// A key set from outside of any file. Strings are taken as they are, all else is JSON:
// {"port", "8080", "--port"}, {"command", "[\"make\"]", "--command"}.
struct ConfigurationOverride {
  std::string key;
  std::string value;
  std::string source;  // how errors call it
};

struct ConfigurationSources {
  std::string working_directory;             // absolute
  std::string home;                          // empty: no file of the user's is read
  std::string login_name;                    // the default of `user`
  std::string explicit_path;                 // -c; empty: not given
  EnvironmentVariables environment;          // PLZ_*, XDG_CONFIG_HOME are looked at
  std::vector<uid_t> trusted_owners;         // whose files are believed
  std::vector<ConfigurationOverride> flags;  // later ones win
};

// Those of this process, without flags and explicit_path.
Result<ConfigurationSources> sources_of_this_process();

// Reads the files and merges, from low to high: defaults, the user's file, each parent directory's
// from the mount point down, the directory's own (or explicit_path, or PLZ_CONFIGURATION_PATH),
// PLZ_<KEY>, flags. An object's members are merged one by one; any other value replaces the lower
// one. Errors are `invalid` and name key and source; not_found for an explicit file that is absent.
// A file that somebody else could have put there or changed (os/trusted_file.h) is an error before anything of it is
// used, plz.Dockerfile too, unless safe_directories of the user's own file or of the environment names its directory.
Result<Configuration> load_configuration(const ConfigurationSources& sources);

// The value of a variable, or nullptr.
const std::string* find_variable(const EnvironmentVariables& environment, std::string_view name);

}  // namespace plz
