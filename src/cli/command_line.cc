#include "cli/command_line.h"

#include <functional>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "base/text.h"
#include "cli/argument_rewriter.h"
#include "cli/version.h"

namespace plz {
namespace {

constexpr const char* kExecutionName = "EXECUTION";

// Everything that CLI11 writes into. Its addresses must not move while an App lives.
struct Parsed {
  GlobalOptions global;
  double ping_timeout_seconds = 10;
  bool version = false;
  std::map<std::string, std::unique_ptr<CommandOptions>> commands;
};

template <typename Id>
std::function<void(const std::string&)> into_id(std::optional<Id>& id, const char* what) {
  return [&id, what](const std::string& text) {
    id = Id::parse(text);
    if (!id)
      throw CLI::ValidationError(
          fmt::format("\"{}\" is not the id of an {}: those look like "
                      "019aab9e-3c6f-7d52-9d0f-0a4f2f1f7c11",
                      printable(text), what));
  };
}

void add_execution(CLI::App& app, OptionalExecution& id) {
  app.add_option_function<std::string>("execution", into_id(id, "execution"),
                                       "The execution; if left out, your last one")
      ->option_text(kExecutionName);
}

void add_output_directory(CLI::App& app, std::optional<std::string>& directory) {
  app.add_option("-o,--output-dir", directory,
                 "Where to put the output; %e stands for the execution's id (output/%e)")
      ->option_text("DIR");
}

template <typename Options>
struct Definition {
  CLI::App& app;
  Options& options;
};

template <typename Options>
Definition<Options> define(CLI::App& app, Parsed& parsed, const std::string& name,
                           const std::string& description, const std::string& examples) {
  auto& slot = parsed.commands[name];
  slot = std::make_unique<CommandOptions>(Options{});
  CLI::App* command = app.add_subcommand(name, description);
  command->fallthrough();
  command->group("Commands");
  if (!examples.empty()) command->footer("Examples:\n" + examples);
  return {*command, std::get<Options>(*slot)};
}

void define_run(CLI::App& app, Parsed& parsed) {
  auto [command, options] = define<RunOptions>(
      app, parsed, "run", "Capture the code here and its input, run the command, fetch the results",
      "  plz run -- python3 train.py\n"
      "  plz run -p fast.json --output results/%e\n"
      "  plz run --detach --command 'python3 a.py && python3 b.py'");
  command
      .add_option("-p,--parameters", options.parameters_path,
                  "A file with a JSON object, handed to the job")
      ->option_text("FILE");
  add_output_directory(command, options.output_directory);
  command.add_flag("-d,--detach", options.detach,
                   "Print the execution's id and return, leaving it running");
  command.add_option("--command", options.command, "Run this with sh -c")->option_text("TEXT");
}

void define_rerun(CLI::App& app, Parsed& parsed) {
  auto [command, options] = define<RerunOptions>(
      app, parsed, "rerun",
      "Run an earlier execution again: its code, input, environment and parameters",
      "  plz rerun\n"
      "  plz rerun 019aab9e-3c6f-7d52-9d0f-0a4f2f1f7c11 -p faster.json");
  add_execution(command, options.execution);
  command
      .add_option("-p,--override-parameters", options.parameters_path,
                  "A file with a JSON object whose members replace the recorded ones")
      ->option_text("FILE");
  add_output_directory(command, options.output_directory);
  command.add_flag("-d,--detach", options.detach,
                   "Print the execution's id and return, leaving it running");
  command.add_flag("--failed-only", options.failed_only,
                   "Of an execution over indices: only those whose part did not succeed");
}

void define_verify_and_diff(CLI::App& app, Parsed& parsed) {
  auto [verify, verify_options] = define<VerifyOptions>(
      app, parsed, "verify", "Run an execution again and compare: is it repeatable?",
      "  plz verify");
  add_execution(verify, verify_options.execution);
  verify.add_flag("--json", verify_options.json, "Print the comparison as JSON");

  auto [diff, diff_options] = define<DiffOptions>(
      app, parsed, "diff", "Show what differs between two executions",
      "  plz diff 019aab9e-3c6f-7d52-9d0f-0a4f2f1f7c11 019aab9f-11aa-7c01-8e55-6f0d2b1a9c33");
  auto into = [](ExecutionId& id) {
    return [&id](const std::string& text) {
      OptionalExecution parsed_id;
      into_id(parsed_id, "execution")(text);
      id = *parsed_id;
    };
  };
  diff.add_option_function<std::string>("first", into(diff_options.first), "An execution")
      ->required();
  diff.add_option_function<std::string>("second", into(diff_options.second), "Another one")
      ->required();
}

void define_logs(CLI::App& app, Parsed& parsed) {
  auto [command, options] =
      define<LogsOptions>(app, parsed, "logs", "Show what an execution prints, until it ends",
                          "  plz logs\n"
                          "  plz logs --since start\n"
                          "  plz logs --since 2026-03-01T12:00:00Z > log.txt");
  add_execution(command, options.execution);
  command
      .add_option("-s,--since", options.since,
                  "From the start, a time or an epoch second; if left out, from now on")
      ->option_text("start|TIME|SECONDS");
}

void define_status(CLI::App& app, Parsed& parsed) {
  auto [command, options] = define<StatusOptions>(app, parsed, "status",
                                                  "Say whether an execution runs, and how it ended",
                                                  "  plz status\n  plz status --json");
  add_execution(command, options.execution);
  command.add_flag("--json", options.json, "Print it as JSON");
}

void define_output(CLI::App& app, Parsed& parsed) {
  auto [command, options] =
      define<OutputOptions>(app, parsed, "output", "Fetch the files that an execution left",
                            "  plz output -o results\n"
                            "  plz output --path models/net.pt\n"
                            "  plz output --force-if-running");
  add_execution(command, options.execution);
  add_output_directory(command, options.output_directory);
  command.add_option("-p,--path", options.path, "Only this file or directory of the output")
      ->option_text("PATH");
  command.add_flag("-f,--force-if-running", options.force_if_running,
                   "Also while it runs: what it has written so far");
  command.add_flag("--rewrite-subexecutions", options.rewrite_subexecutions,
                   "Replace the parallel-N directories that are there already");
}

void define_measures(CLI::App& app, Parsed& parsed) {
  auto [command, options] =
      define<MeasuresOptions>(app, parsed, "measures", "Print what an execution measured, as JSON",
                              "  plz measures\n  plz measures --summary");
  add_execution(command, options.execution);
  command.add_flag("-s,--summary", options.summary, "Only the summary");
}

void define_describe(CLI::App& app, Parsed& parsed) {
  auto [command, options] =
      define<DescribeOptions>(app, parsed, "describe",
                              "Print all that is known of an execution, as JSON", "  plz describe");
  add_execution(command, options.execution);
  command.add_flag("--json", options.json, "On one line");
}

void define_history(CLI::App& app, Parsed& parsed) {
  auto [command, options] = define<HistoryOptions>(
      app, parsed, "history", "Print what was run: metadata, parameters and measures",
      "  plz history --where 'parameters.lr < 0.1 and measures.summary.accuracy > 0.9'\n"
      "  plz history --limit 20 --format table");
  command.add_option("-w,--where", options.where, "Only the executions for which this is true")
      ->option_text("CONDITION");
  command.add_option("-n,--limit", options.limit, "Only the newest so many")
      ->check(CLI::Range(int64_t{0}, int64_t{1'000'000'000'000}))
      ->option_text("N");
  command.add_flag("-a,--all", options.all, "Of every user and project");
  const std::map<std::string, HistoryFormat> formats = {{"json", HistoryFormat::json},
                                                        {"jsonl", HistoryFormat::jsonl},
                                                        {"csv", HistoryFormat::csv},
                                                        {"table", HistoryFormat::table}};
  command.add_option("-f,--format", options.format, "json, jsonl, csv or table")
      ->transform(CLI::CheckedTransformer(formats))
      ->option_text("FORMAT");
}

void define_list_and_last(CLI::App& app, Parsed& parsed) {
  auto [list, options] =
      define<ListOptions>(app, parsed, "list", "List running executions, and the instances",
                          "  plz list\n  plz list --all-users --json");
  list.add_flag("-a,--all-users", options.all_users, "Also those of other users");
  list.add_flag("--json", options.json, "Print it as JSON");
  define<LastOptions>(app, parsed, "last", "Print the id of your last execution", "  plz last");
}

void define_stop(CLI::App& app, Parsed& parsed) {
  auto [command, options] =
      define<StopOptions>(app, parsed, "stop", "End an execution, with all its parts",
                          "  plz stop\n  plz stop --grace 60");
  add_execution(command, options.execution);
  command
      .add_option_function<int64_t>(
          "-g,--grace",
          [&grace = options.grace](const int64_t& seconds) {
            grace = std::chrono::seconds(seconds);
          },
          "How long the job has between SIGTERM and SIGKILL (10)")
      ->check(CLI::Range(int64_t{0}, int64_t{86'400}))
      ->option_text("SECONDS");
}

void define_kill(CLI::App& app, Parsed& parsed) {
  auto [command, options] =
      define<KillOptions>(app, parsed, "kill", "End instances (to end an execution, use stop)",
                          "  plz kill -i 019aab9e-3c6f-7d52-9d0f-0a4f2f1f7c11\n"
                          "  plz kill --all-of-them-plz --including-idle");
  auto add = [&ids = options.instances](const std::vector<std::string>& texts) {
    for (const auto& text : texts) {
      std::optional<InstanceId> id;
      into_id(id, "instance")(text);
      ids.push_back(*id);
    }
    return true;
  };
  command
      .add_option_function<std::vector<std::string>>("-i,--instance-ids", add,
                                                     "These instances; commas between them")
      ->delimiter(',')
      ->expected(1)
      ->take_all()
      ->option_text("IDS");
  command.add_flag("--all-of-them-plz", options.all, "All of your instances");
  command.add_flag("--including-idle", options.including_idle,
                   "With --all-of-them-plz: idle ones too");
  command.add_flag("--force-if-not-idle", options.force_if_not_idle,
                   "Also those that run something");
  command.add_flag("--berserk", options.berserk, "Also those that run something for others");
  command.add_flag("--oh-yeah", options.oh_yeah, "Do not ask");
}

void define_list_context(CLI::App& app, Parsed& parsed) {
  auto [command, options] = define<ListContextOptions>(
      app, parsed, "list-context", "List the files that run would capture as code",
      "  plz list-context\n"
      "  plz list-context --excluded");
  command.add_flag("-e,--excluded", options.excluded, "Those that are left out instead");
  command.add_flag("--json", options.json, "Print them as JSON");
}

void define_ping(CLI::App& app, Parsed& parsed) {
  auto [command, options] = define<PingOptions>(
      app, parsed, "ping-backend", "Say whether the controller answers", "  plz ping-backend -t 2");
  command.add_flag("--json", options.json, "Print its answer as JSON");
}

void define_completion(CLI::App& app, Parsed& parsed) {
  auto [command, options] = define<CompletionOptions>(
      app, parsed, "completion",
      "Print what makes a shell complete plz's commands, options and ids",
      "  plz completion bash > ~/.local/share/bash-completion/completions/plz\n"
      "  plz completion zsh > ~/.zfunc/_plz\n"
      "  plz completion fish > ~/.config/fish/completions/plz.fish");
  command.add_option("shell", options.shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));

  auto [complete, complete_options] = define<CompleteOptions>(app, parsed, "__complete", "", "");
  complete.add_option("what", complete_options.what, "")->required();
  complete.group("");
}

void define_global(CLI::App& app, Parsed& parsed) {
  app.name("plz");
  app.add_option("-c,--configuration", parsed.global.configuration_path,
                 "Use this file in place of ./plz.config.json")
      ->option_text("PATH");
  app.add_option("-t,--ping-timeout", parsed.ping_timeout_seconds,
                 "How long to wait for the controller (10)")
      ->check(CLI::Range(0.001, 86'400.0))
      ->option_text("SECONDS");
  app.add_flag("--version", parsed.version, "Print the version");
  app.set_help_flag("-h,--help", "Print help, also of a command: plz run --help");
  app.footer(
      "Results go to stdout, messages to stderr. `plz COMMAND --help` has examples; "
      "docs/commands.md, all the rest.");
}

class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(32); }
  std::string make_usage(const CLI::App* app, std::string name) const override {
    if (!app->get_parent()) return "Usage: plz [OPTIONS] COMMAND\n";
    std::string usage = CLI::Formatter::make_usage(app, std::move(name));
    if (app->get_name() == "run")
      usage.replace(usage.size() - 1, 1, " [-- COMMAND [ARGUMENT...]]\n");
    return usage;
  }
};

struct Syntax {
  CLI::App app{"Runs jobs, and remembers them: what ran, on what, and what came of it"};
  Parsed parsed;

  Syntax() {
    app.formatter(std::make_shared<HelpFormatter>());
    // One: `plz status list` asks for an execution named "list", and must not be two commands.
    app.require_subcommand(0, 1);
    define_global(app, parsed);
    define_run(app, parsed);
    define_rerun(app, parsed);
    define_logs(app, parsed);
    define_status(app, parsed);
    define_output(app, parsed);
    define_measures(app, parsed);
    define_describe(app, parsed);
    define_history(app, parsed);
    define_list_and_last(app, parsed);
    define_stop(app, parsed);
    define_kill(app, parsed);
    define_list_context(app, parsed);
    define_ping(app, parsed);
    define_verify_and_diff(app, parsed);
    define_completion(app, parsed);
  }
};

OptionDescription describe(const CLI::Option& option) {
  OptionDescription described;
  if (!option.get_lnames().empty()) described.long_name = option.get_lnames().front();
  if (!option.get_snames().empty()) described.short_name = option.get_snames().front();
  described.takes_value = option.get_items_expected_max() > 0;
  described.description = option.get_description();
  return described;
}

CommandDescription describe(const CLI::App& app, bool top) {
  CommandDescription described;
  described.name = top ? "" : app.get_name();
  described.description = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional())
      described.takes_execution = true;
    else if (top || option->get_lnames() != std::vector<std::string>{"help"})
      described.options.push_back(describe(*option));
  }
  return described;
}

std::vector<CommandDescription> describe(CLI::App& app) {
  std::vector<CommandDescription> all{describe(app, true)};
  for (const CLI::App* command : app.get_subcommands({})) all.push_back(describe(*command, false));
  return all;
}

bool contains(const std::vector<std::string>& arguments, std::string_view wanted,
              std::string_view short_form = {}) {
  for (const auto& argument : arguments)
    if (argument == wanted || (!short_form.empty() && argument == short_form)) return true;
  return false;
}

Error as_error(const CLI::ParseError& error, const std::string& command) {
  std::string message = error.what();
  // Validation errors of our own come with the option's name before them already.
  while (!message.empty() && (message.back() == '\n' || message.back() == '.')) message.pop_back();
  return Error{ErrorCode::invalid, message, fmt::format("see `plz {} --help`", command)};
}

}  // namespace

Result<std::variant<CommandLine, HelpText>> parse_command_line(
    const std::vector<std::string>& arguments) {
  Syntax syntax;
  std::vector<std::string> wanted = arguments;
  if (wanted.size() > 1 && wanted[0] == "help") wanted = {wanted[1], "--help"};
  PLZ_ASSIGN(RewrittenArguments rewritten, rewrite_arguments(wanted, describe(syntax.app)));
  if (contains(rewritten.arguments, "--version"))
    return HelpText{fmt::format("plz {}\n", plz_version())};
  if (rewritten.command.empty() || contains(rewritten.arguments, "--help", "-h")) {
    if (rewritten.command.empty()) return HelpText{syntax.app.help()};
    return HelpText{syntax.app.get_subcommand(rewritten.command)->help("plz")};
  }

  std::vector<std::string> reversed(rewritten.arguments.rbegin(), rewritten.arguments.rend());
  reversed.push_back(rewritten.command);
  try {
    syntax.app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return fail(as_error(error, rewritten.command));
  }
  syntax.parsed.global.ping_timeout =
      std::chrono::milliseconds(static_cast<int64_t>(syntax.parsed.ping_timeout_seconds * 1000));
  CommandLine line{syntax.parsed.global, rewritten.command,
                   std::move(*syntax.parsed.commands.at(rewritten.command))};
  if (auto* run = std::get_if<RunOptions>(&line.command))
    run->arguments = std::move(rewritten.after_dashes);
  return line;
}

std::vector<CommandDescription> describe_commands() {
  Syntax syntax;
  return describe(syntax.app);
}

}  // namespace plz
