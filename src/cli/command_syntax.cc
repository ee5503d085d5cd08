#include "cli/command_syntax.h"

#include <charconv>

#include <fmt/core.h>

#include "base/text.h"

namespace plz {
namespace {

constexpr const char* kExecutionName = "EXECUTION";

[[noreturn]] void refuse(const char* who, const std::string& takes, const std::string& text) {
  throw CLI::ValidationError(fmt::format("{} takes {}, not \"{}\"", who, takes, printable(text)));
}

int64_t whole_number(const char* option, const std::string& text, int64_t most) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0 || number > most)
    refuse(option, fmt::format("a whole number from 0 to {}", most), text);
  return number;
}

template <typename Id>
Id id_of(const char* what, const std::string& text) {
  if (const auto id = Id::parse(text)) return *id;
  throw CLI::ValidationError(
      fmt::format("\"{}\" is not the id of an {}: those look like "
                  "019aab9e-3c6f-7d52-9d0f-0a4f2f1f7c11",
                  printable(text), what));
}

// `id`: an Id, or an optional one.
template <typename Id, typename Slot>
auto into_id(const char* what, Slot& id) {
  return [&id, what](const std::string& text) { id = id_of<Id>(what, text); };
}

template <typename Id>
auto into_ids(const char* what, std::vector<Id>& ids) {
  return [&ids, what](const std::vector<std::string>& texts) {
    for (const auto& text : texts) ids.push_back(id_of<Id>(what, text));
  };
}

void add_execution(CLI::App& app, OptionalExecution& id) {
  app.add_option_function<std::string>("execution", into_id<ExecutionId>("execution", id),
                                       "The execution; if left out, your last one")
      ->option_text(kExecutionName);
}

void add_output_directory(CLI::App& app, std::optional<std::string>& directory) {
  app.add_option("-o,--output-dir", directory, "Where to put the output; %e stands for the execution's id (output/%e)")
      ->option_text("DIR");
}

void add_outputs(CLI::App& app, std::vector<std::string>& outputs) {
  app.add_option(
         "--outputs", outputs,
         "What of the working directory belongs to the output, too: a path or a glob, . for all; may be repeated")
      ->option_text("GLOB")
      ->allow_extra_args(false);
}

void add_wait_anyway(CLI::App& app, bool& wait_anyway) {
  app.add_flag("--wait-anyway", wait_anyway, "Queue it also where it asks for more than any machine here has");
}

void add_runtime(CLI::App& app, std::string& runtime) {
  app.add_option("--runtime", runtime, "What it runs in: sandbox, or process, which is not boxed")
      ->option_text("NAME")
      ->check(CLI::IsMember({"sandbox", "process"}));
}

template <typename Options>
struct Definition {
  CLI::App& app;
  Options& options;
};

template <typename Options>
Definition<Options> define(CLI::App& app, ParsedOptions& parsed, const std::string& name,
                           const std::string& description, const std::string& examples) {
  auto& slot = parsed.commands[name];
  slot = std::make_unique<CommandOptions>(Options{});
  CLI::App* command = app.add_subcommand(name, description);
  command->fallthrough();
  command->group("Commands");
  if (!examples.empty()) command->footer("Examples:\n" + examples);
  return {*command, std::get<Options>(*slot)};
}

void define_run(CLI::App& app, ParsedOptions& parsed) {
  auto [command, options] =
      define<RunOptions>(app, parsed, "run", "Capture the code here and its input, run the command, fetch the results",
                         "  plz run -- python3 train.py\n"
                         "  plz run -p fast.json --output results/%e\n"
                         "  plz run --detach --command 'python3 a.py && python3 b.py'");
  command.add_option("-p,--parameters", options.parameters_path, "A file with a JSON object, handed to the job")
      ->option_text("FILE");
  add_output_directory(command, options.output_directory);
  add_outputs(command, options.outputs);
  command.add_flag("--follow-links", options.follow_links,
                   "Capture what links lead to, where that lies outside of the code or the input");
  command.add_flag("-d,--detach", options.detach, "Print the execution's id and return, leaving it running");
  add_wait_anyway(command, options.wait_anyway);
  add_runtime(command, options.runtime);
  command.add_option("--command", options.command, "Run this with sh -c")->option_text("TEXT");
}

void define_rerun(CLI::App& app, ParsedOptions& parsed) {
  auto [command, options] = define<RerunOptions>(
      app, parsed, "rerun", "Run an earlier execution again: its code, input, environment and parameters",
      "  plz rerun\n"
      "  plz rerun 019aab9e-3c6f-7d52-9d0f-0a4f2f1f7c11 -p faster.json");
  add_execution(command, options.execution);
  command
      .add_option("-p,--override-parameters", options.parameters_path,
                  "A file with a JSON object whose members replace the recorded ones")
      ->option_text("FILE");
  add_output_directory(command, options.output_directory);
  add_outputs(command, options.outputs);
  command.add_flag("-d,--detach", options.detach, "Print the execution's id and return, leaving it running");
  add_wait_anyway(command, options.wait_anyway);
  add_runtime(command, options.runtime);
  command.add_flag("--failed-only", options.failed_only,
                   "Of an execution over indices: only those whose part did not succeed");
}

void define_verify_and_diff(CLI::App& app, ParsedOptions& parsed) {
  auto [verify, verify_options] = define<VerifyOptions>(
      app, parsed, "verify", "Run an execution again and compare: is it repeatable?", "  plz verify");
  add_execution(verify, verify_options.execution);
  verify.add_flag("--json", verify_options.json, "Print the comparison as JSON");

  auto [diff, diff_options] =
      define<DiffOptions>(app, parsed, "diff", "Show what differs between two executions",
                          "  plz diff 019aab9e-3c6f-7d52-9d0f-0a4f2f1f7c11 019aab9f-11aa-7c01-8e55-6f0d2b1a9c33");
  diff.add_option_function<std::string>("first", into_id<ExecutionId>("execution", diff_options.first), "An execution")
      ->required();
  diff.add_option_function<std::string>("second", into_id<ExecutionId>("execution", diff_options.second), "Another one")
      ->required();
}

void define_logs(CLI::App& app, ParsedOptions& parsed) {
  auto [command, options] = define<LogsOptions>(app, parsed, "logs", "Show what an execution prints, until it ends",
                                                "  plz logs\n"
                                                "  plz logs --since now\n"
                                                "  plz logs --since 2026-03-01T12:00:00Z > log.txt");
  add_execution(command, options.execution);
  command
      .add_option("-s,--since", options.since,
                  "From now on, from a time or an epoch second; if left out, from the start")
      ->option_text("start|now|TIME|SECONDS");
}

void define_status(CLI::App& app, ParsedOptions& parsed) {
  auto [command, options] = define<StatusOptions>(
      app, parsed, "status", "Say whether an execution runs, and how it ended", "  plz status\n  plz status --json");
  add_execution(command, options.execution);
  command.add_flag("--json", options.json, "Print it as JSON");
}

void define_output(CLI::App& app, ParsedOptions& parsed) {
  auto [command, options] = define<OutputOptions>(app, parsed, "output", "Fetch the files that an execution left",
                                                  "  plz output -o results\n"
                                                  "  plz output --path models/net.pt\n"
                                                  "  plz output --force-if-running");
  add_execution(command, options.execution);
  add_output_directory(command, options.output_directory);
  command.add_option("-p,--path", options.path, "Only this file or directory of the output")->option_text("PATH");
  command.add_flag("-f,--force-if-running", options.force_if_running, "Also while it runs: what it has written so far");
  command.add_flag("--rewrite-subexecutions", options.rewrite_subexecutions,
                   "Replace the parallel-N directories that are there already");
}

void define_measures(CLI::App& app, ParsedOptions& parsed) {
  auto [command, options] = define<MeasuresOptions>(
      app, parsed, "measures", "Print what an execution measured, as JSON", "  plz measures\n  plz measures --summary");
  add_execution(command, options.execution);
  command.add_flag("-s,--summary", options.summary, "Only the summary");
}

void define_describe(CLI::App& app, ParsedOptions& parsed) {
  auto [command, options] = define<DescribeOptions>(
      app, parsed, "describe", "Print all that is known of an execution, as JSON", "  plz describe");
  add_execution(command, options.execution);
  command.add_flag("--json", options.json, "On one line");
}

void define_history(CLI::App& app, ParsedOptions& parsed) {
  auto [command, options] =
      define<HistoryOptions>(app, parsed, "history", "Print what was run: metadata, parameters and measures",
                             "  plz history --where 'parameters.lr < 0.1 and measures.summary.accuracy > 0.9'\n"
                             "  plz history --limit 20 --format table");
  command.add_option("-w,--where", options.where, "Only the executions for which this is true")
      ->option_text("CONDITION");
  command
      .add_option_function<std::string>(
          "-n,--limit",
          [&limit = options.limit](const std::string& text) {
            limit = whole_number("--limit", text, 1'000'000'000'000);
          },
          "Only the newest so many")
      ->option_text("N");
  command.add_flag("-a,--all", options.all, "Of every user and project");
  const std::map<std::string, HistoryFormat> formats = {{"json", HistoryFormat::json},
                                                        {"jsonl", HistoryFormat::jsonl},
                                                        {"csv", HistoryFormat::csv},
                                                        {"table", HistoryFormat::table}};
  command
      .add_option_function<std::string>(
          "-f,--format",
          [&format = options.format, formats](const std::string& text) {
            const auto found = formats.find(text);
            if (found == formats.end()) refuse("--format", "json, jsonl, csv or table", text);
            format = found->second;
          },
          "json, jsonl, csv or table")
      ->option_text("FORMAT");
}

void define_list_and_last(CLI::App& app, ParsedOptions& parsed) {
  auto [list, options] = define<ListOptions>(app, parsed, "list", "List running executions, and the instances",
                                             "  plz list\n  plz list --all-users --json");
  list.add_flag("-a,--all-users", options.all_users, "Also those of other users");
  list.add_flag("--json", options.json, "Print it as JSON");
  define<LastOptions>(app, parsed, "last", "Print the id of your last execution", "  plz last");
}

void define_stop(CLI::App& app, ParsedOptions& parsed) {
  auto [command, options] = define<StopOptions>(app, parsed, "stop", "End an execution, with all its parts",
                                                "  plz stop\n  plz stop --grace 60");
  add_execution(command, options.execution);
  command
      .add_option_function<std::string>(
          "-g,--grace",
          [&grace = options.grace](const std::string& text) {
            grace = std::chrono::seconds(whole_number("--grace", text, 86'400));
          },
          "How long the job has between SIGTERM and SIGKILL (10)")
      ->option_text("SECONDS");
}

void define_kill(CLI::App& app, ParsedOptions& parsed) {
  auto [command, options] = define<KillOptions>(app, parsed, "kill", "End instances (to end an execution, use stop)",
                                                "  plz kill -i 019aab9e-3c6f-7d52-9d0f-0a4f2f1f7c11\n"
                                                "  plz kill --all-of-them-plz --including-idle");
  command
      .add_option_function<std::vector<std::string>>("-i,--instance-ids", into_ids("instance", options.instances),
                                                     "These instances; commas between them")
      ->delimiter(',')
      ->expected(1)
      ->take_all()
      ->option_text("IDS");
  command.add_flag("--all-of-them-plz", options.all, "All of your instances");
  command.add_flag("--including-idle", options.including_idle, "With --all-of-them-plz: idle ones too");
  command.add_flag("--force-if-not-idle", options.force_if_not_idle, "Also those that run something");
  command.add_flag("--berserk", options.berserk, "Also those that run something for others");
  command.add_flag("--oh-yeah", options.oh_yeah, "Do not ask");
}

void define_delete(CLI::App& app, ParsedOptions& parsed) {
  auto [command, options] =
      define<DeleteOptions>(app, parsed, "delete", "Forget executions that have finished, with their logs and measures",
                            "  plz delete 019aab9e-3c6f-7d52-9d0f-0a4f2f1f7c11\n"
                            "  plz delete --yes $(plz last) && plz gc");
  command
      .add_option_function<std::vector<std::string>>("executions", into_ids("execution", options.executions),
                                                     "The executions")
      ->required()
      ->option_text(std::string(kExecutionName) + "...");
  command.add_flag("-a,--all-users", options.all_users, "Also those of other users");
  command.add_flag("-y,--yes", options.yes, "Do not ask");
}

void define_gc(CLI::App& app, ParsedOptions& parsed) {
  auto [command, options] =
      define<GcOptions>(app, parsed, "gc", "Free what no execution needs: blobs, images, leftover containers",
                        "  plz gc --dry-run\n"
                        "  plz gc --caches");
  command.add_flag("-n,--dry-run", options.dry_run, "Only say what would be freed");
  command.add_flag("--caches", options.caches, "Also the workers' copies of code and input that no job is using");
  command.add_flag("--json", options.json, "Print the report as JSON");
}

void define_check(CLI::App& app, ParsedOptions& parsed) {
  auto [command, options] = define<CheckOptions>(
      app, parsed, "check", "Read everything that is stored, and say what is damaged and which executions need it",
      "  plz check\n"
      "  plz check --repair");
  command.add_flag("--repair", options.repair,
                   "What is damaged counts as missing: the next capture of it stores it anew");
  command.add_flag("--json", options.json, "Print the report as JSON");
}

void define_list_context(CLI::App& app, ParsedOptions& parsed) {
  auto [command, options] =
      define<ListContextOptions>(app, parsed, "list-context", "List the files that run would capture as code",
                                 "  plz list-context\n"
                                 "  plz list-context --excluded");
  command.add_flag("-e,--excluded", options.excluded, "Those that are left out instead");
  command.add_flag("--json", options.json, "Print them as JSON");
}

void define_ping(CLI::App& app, ParsedOptions& parsed) {
  auto [command, options] =
      define<PingOptions>(app, parsed, "ping-backend", "Say whether the controller answers", "  plz ping-backend -t 2");
  command.add_flag("--json", options.json, "Print its answer as JSON");
}

void define_controller(CLI::App& app, ParsedOptions& parsed) {
  auto [command, options] = define<ControllerCommandOptions>(
      app, parsed, "controller", "See to the private controller of this machine: restart, stop or status",
      "  plz controller status\n"
      "  DOCKER_HOST=unix:///run/user/1000/podman/podman.sock plz controller restart");
  using Action = ControllerCommandOptions::Action;
  const std::map<std::string, Action> actions = {
      {"restart", Action::restart}, {"stop", Action::stop}, {"status", Action::status}};
  command
      .add_option_function<std::string>(
          "action",
          [&action = options.action, actions](const std::string& text) {
            const auto found = actions.find(text);
            if (found == actions.end()) refuse("`plz controller`", "restart, stop or status", text);
            action = found->second;
          },
          "restart, stop or status")
      ->required();
  command.add_flag("--json", options.json, "Print what there is then as JSON");
}

void define_completion(CLI::App& app, ParsedOptions& parsed) {
  auto [command, options] = define<CompletionOptions>(
      app, parsed, "completion", "Print what makes a shell complete plz's commands, options and ids",
      "  plz completion bash > ~/.local/share/bash-completion/completions/plz\n"
      "  plz completion zsh > ~/.zfunc/_plz\n"
      "  plz completion fish > ~/.config/fish/completions/plz.fish");
  command
      .add_option_function<std::string>(
          "shell",
          [&shell = options.shell](const std::string& text) {
            if (text != "bash" && text != "zsh" && text != "fish")
              refuse("`plz completion`", "bash, zsh or fish", text);
            shell = text;
          },
          "bash, zsh or fish")
      ->required();

  auto [complete, complete_options] = define<CompleteOptions>(app, parsed, "__complete", "", "");
  complete.add_option("what", complete_options.what, "")->required();
  complete.group("");
}

void define_global(CLI::App& app, ParsedOptions& parsed) {
  app.name("plz");
  app.add_option("-c,--configuration", parsed.global.configuration_path, "Use this file in place of ./plz.config.json")
      ->option_text("PATH");
  app.add_option_function<std::string>(
         "-t,--ping-timeout",
         [&seconds = parsed.ping_timeout_seconds, &given = parsed.global.ping_timeout_given](const std::string& text) {
           given = true;
           if (!CLI::detail::lexical_cast(text, seconds) || !(seconds >= 0.001 && seconds <= 86'400))
             refuse("--ping-timeout", "a number of seconds, from 0.001 to 86400", text);
         },
         "How long to wait for the controller (10)")
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
    if (app->get_name() == "run") usage.replace(usage.size() - 1, 1, " [-- COMMAND [ARGUMENT...]]\n");
    return usage;
  }
};

}  // namespace

CommandSyntax::CommandSyntax() {
  app.formatter(std::make_shared<HelpFormatter>());
  // One: `plz status list` asks for an execution named "list", and must not be two commands.
  app.require_subcommand(0, 1);
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
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
  define_delete(app, parsed);
  define_gc(app, parsed);
  define_check(app, parsed);
  define_list_context(app, parsed);
  define_ping(app, parsed);
  define_controller(app, parsed);
  define_verify_and_diff(app, parsed);
  define_completion(app, parsed);
}

}  // namespace plz
