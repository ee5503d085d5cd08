// What the command line said, one plain struct for each command.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/ids.h"

namespace plz {

// Absent: the user's last execution.
using OptionalExecution = std::optional<ExecutionId>;

struct RunOptions {
  std::optional<std::string> parameters_path;
  std::optional<std::string> output_directory;
  std::vector<std::string> outputs;    // none: as configured
  bool follow_links = false;           // else as configured
  std::optional<std::string> command;  // for sh -c
  std::vector<std::string> arguments;  // what stood after --
  bool detach = false;
  bool wait_anyway = false;  // else as configured
  std::string runtime;       // "": as configured
};

struct RerunOptions {
  OptionalExecution execution;
  std::optional<std::string> parameters_path;  // overrides members of the recorded parameters
  std::optional<std::string> output_directory;
  std::vector<std::string> outputs;  // none: as recorded
  bool detach = false;
  bool wait_anyway = false;  // else as configured
  bool failed_only = false;  // of a composite: the parts that did not succeed
  std::string runtime;       // "": as recorded
};

struct VerifyOptions {
  OptionalExecution execution;
  bool json = false;
};

struct DiffOptions {
  ExecutionId first, second;
};

struct LogsOptions {
  OptionalExecution execution;
  std::string since;  // empty: from the start
};

struct StatusOptions {
  OptionalExecution execution;
  bool json = false;
};

struct OutputOptions {
  OptionalExecution execution;
  std::optional<std::string> output_directory;
  std::optional<std::string> path;  // one file or directory of the output
  bool force_if_running = false;
  bool rewrite_subexecutions = false;
};

struct MeasuresOptions {
  OptionalExecution execution;
  bool summary = false;
};

struct DescribeOptions {
  OptionalExecution execution;
  bool json = false;
};

enum class HistoryFormat { json, jsonl, csv, table };

struct HistoryOptions {
  std::string where;
  std::optional<uint64_t> limit;
  bool all = false;  // of every user and project
  HistoryFormat format = HistoryFormat::json;
};

struct ListOptions {
  bool all_users = false;
  bool json = false;
};

struct LastOptions {};

struct StopOptions {
  OptionalExecution execution;
  std::chrono::seconds grace{10};
};

struct KillOptions {
  std::vector<InstanceId> instances;
  bool all = false;
  bool including_idle = false;
  bool force_if_not_idle = false;
  bool berserk = false;
  bool oh_yeah = false;  // do not ask
};

// Never the last one by default: what is deleted is named.
struct DeleteOptions {
  std::vector<ExecutionId> executions;
  bool all_users = false;  // others' too
  bool yes = false;        // do not ask
};

struct GcOptions {
  bool dry_run = false;
  bool caches = false;
  bool json = false;
};

struct CheckOptions {
  bool repair = false;
  bool json = false;
};

struct ListContextOptions {
  bool excluded = false;
  bool json = false;
};

struct PingOptions {
  bool json = false;
};

struct ControllerCommandOptions {
  enum class Action { restart, stop, status };
  Action action = Action::status;
  bool json = false;
};

struct CompletionOptions {
  std::string shell;  // bash, zsh or fish
};

// What the completion scripts ask: "ids".
struct CompleteOptions {
  std::string what;
};

using CommandOptions =
    std::variant<RunOptions, RerunOptions, VerifyOptions, DiffOptions, LogsOptions, StatusOptions, OutputOptions,
                 MeasuresOptions, DescribeOptions, HistoryOptions, ListOptions, LastOptions, StopOptions, KillOptions,
                 DeleteOptions, GcOptions, CheckOptions, ListContextOptions, PingOptions, ControllerCommandOptions,
                 CompletionOptions, CompleteOptions>;

struct GlobalOptions {
  std::optional<std::string> configuration_path;
  std::chrono::milliseconds ping_timeout{10'000};
  bool ping_timeout_given = false;
};

struct CommandLine {
  GlobalOptions global;
  std::string name;  // of the command
  CommandOptions command;
};

}  // namespace plz
