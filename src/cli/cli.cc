#include "cli/cli.h"

#include <csignal>

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/command_line.h"
#include "cli/commands/commands.h"
#include "cli/data_directory.h"
#include "cli/execution_report.h"

namespace plz {
namespace {

constexpr int kUsageError = 2;

// A descriptor that is closed would be taken by the next file that is opened, and then written to
// as stdout.
void open_standard_descriptors() {
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(fd, F_GETFD) < 0) (void)!open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY);
}

int failure_status(const CommandOptions& command) {
  // Of these, the statuses below belong to the job or to the answer.
  const bool answers_by_status =
      std::holds_alternative<RunOptions>(command) || std::holds_alternative<RerunOptions>(command) ||
      std::holds_alternative<VerifyOptions>(command) || std::holds_alternative<DiffOptions>(command);
  return answers_by_status ? kOwnFailure : 1;
}

// plz's own log is for who looks for a fault; people read messages.
void start_log(const Configuration& configuration) {
  if (configuration.debug || configuration.log_level == "debug") log_start("plz", "", LogLevel::debug);
  else if (configuration.log_level == "info") log_start("plz", "", LogLevel::info);
}

// One invocation, from its arguments to its exit status.
class Cli {
 public:
  int run(const std::vector<std::string>& arguments) {
    auto parsed = parse_command_line(arguments);
    if (!parsed) return complain(parsed.error(), kUsageError);
    if (const auto* help = std::get_if<HelpText>(&*parsed)) return print(help->text);
    const CommandLine& line = std::get<CommandLine>(*parsed);
    if (const auto* completion = std::get_if<CompletionOptions>(&line.command))
      return print(completion_script(completion->shell));
    auto status = perform_in_session(line);
    if (status) return *status;
    if (status.error().code == ErrorCode::cancelled && out_.reader_gone()) return 0;
    return complain(status.error(), failure_status(line.command));
  }

 private:
  Result<int> perform_in_session(const CommandLine& line) {
    PLZ_ASSIGN(ConfigurationSources sources, sources_of_this_process());
    sources.explicit_path = line.global.configuration_path.value_or("");
    if (const auto* run = std::get_if<RunOptions>(&line.command)) sources.flags = configuration_overrides(*run);
    if (const auto* rerun = std::get_if<RerunOptions>(&line.command); rerun && rerun->wait_anyway)
      sources.flags = {{"wait_anyway", "true", "--wait-anyway"}};
    PLZ_ASSIGN(Configuration configuration, load_configuration(sources));
    start_log(configuration);
    Messages messages(STDERR_FILENO, MessageStyle::of(STDERR_FILENO, configuration.use_emojis, sources.environment),
                      clock_);
    PLZ_ASSIGN(Session::Parts parts, parts_of_session(line.global, std::move(configuration), sources, messages));
    Session session(std::move(parts), messages, out_, clock_);
    return std::visit([&](const auto& options) { return perform_one(session, options); }, line.command);
  }

  template <typename Options>
  static Result<int> perform_one(Session& session, const Options& options) {
    return perform(session, options);
  }
  static Result<int> perform_one(Session&, const CompletionOptions&) { return 0; }

  static Result<Session::Parts> parts_of_session(const GlobalOptions& global, Configuration configuration,
                                                 const ConfigurationSources& sources, Messages& messages) {
    Session::Parts parts;
    parts.environment = sources.environment;
    parts.working_directory = sources.working_directory;
    parts.login_name = sources.login_name;
    parts.ping_timeout = global.ping_timeout;
    PLZ_ASSIGN(parts.data_directory, data_directory_of(sources.environment, sources.working_directory));
    FinderSettings finder{global.ping_timeout, {}, parts.data_directory, sources.environment};
    if (global.ping_timeout_given) finder.patience = global.ping_timeout;
    PLZ_ASSIGN(parts.finder, make_controller_finder(configuration, std::move(finder), messages));
    parts.configuration = std::move(configuration);
    return parts;
  }

  int print(const std::string& text) {
    auto written = out_.write(text);
    return written || out_.reader_gone() ? 0 : complain(written.error(), 1);
  }

  int complain(const Error& error, int status) {
    auto sources = sources_of_this_process();
    const EnvironmentVariables environment = sources ? sources->environment : EnvironmentVariables();
    Messages(STDERR_FILENO, MessageStyle::of(STDERR_FILENO, true, environment), clock_).error(error);
    return status;
  }

  SystemClock clock_;
  OutputStream out_{STDOUT_FILENO};
};

}  // namespace

int run_cli(int argc, char** argv) {
  open_standard_descriptors();
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // `ulimit -f`: a write says so
  return Cli().run({argv + (argc > 0 ? 1 : 0), argv + argc});
}

}  // namespace plz
