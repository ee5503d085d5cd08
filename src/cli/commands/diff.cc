#include <fcntl.h>
#include <fmt/core.h>
#include <stdlib.h>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/environment_comparison.h"
#include "cli/execution_comparison.h"
#include "cli/monitored_source.h"
#include "cli/output_retrieval.h"
#include "cli/patient_blobs.h"
#include "os/file.h"
#include "os/process.h"

namespace plz {
namespace {

constexpr std::chrono::minutes kLongestDiff{5};

// The changed files of both sides, side by side on disk for as long as diff(1) looks at them.
class CodeDiff {
 public:
  explicit CodeDiff(BlobSource& source) : source_(source) {}
  ~CodeDiff() {
    if (!directory_.empty()) (void)remove_tree(directory_);
  }
  CodeDiff(const CodeDiff&) = delete;
  CodeDiff& operator=(const CodeDiff&) = delete;

  Result<std::string> text_of(const std::vector<TreeDifference>& differences, const EnvironmentVariables& environment) {
    char pattern[] = "/tmp/plz-diff-XXXXXX";
    if (!mkdtemp(pattern)) return fail_errno("cannot create a directory in /tmp");
    directory_ = pattern;
    for (const char* side : {"a", "b"}) PLZ_TRY(make_directories(join_path(directory_, side)));
    for (const TreeDifference& difference : differences) {
      PLZ_TRY(write(difference.before, "a", difference.path));
      PLZ_TRY(write(difference.after, "b", difference.path));
    }
    return run_diff(environment);
  }

 private:
  Result<void> write(const std::optional<TreeEntry>& entry, const char* side, const std::string& path) {
    if (!entry || entry->kind == EntryKind::directory) return {};
    const std::string destination = join_path(join_path(directory_, side), path);
    return retrieve_entry(*entry, destination, false, source_);
  }

  Result<std::string> run_diff(const EnvironmentVariables& environment) const {
    const auto* path = find_variable(environment, "PATH");
    const auto program = find_program("diff", path ? *path : "/usr/bin:/bin");
    if (!program) return fail(ErrorCode::not_found, "the program diff is not installed", "apt-get install diffutils");
    const std::string output_path = join_path(directory_, "diff");
    PLZ_ASSIGN(UniqueFd output, open_file(output_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    const std::string errors_path = join_path(directory_, "errors");
    PLZ_ASSIGN(UniqueFd errors, open_file(errors_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    SpawnOptions options;
    options.program = *program;
    options.arguments = {"diff", "-ruN", "--no-dereference", "a", "b"};
    options.environment = {"LC_ALL=C.UTF-8"};
    options.stdout_fd = output.get();
    options.directory = directory_;
    options.stderr_fd = errors.get();
    PLZ_ASSIGN(const ProcessExit exit, run_process(options, kLongestDiff));
    if (exit.status <= 1) return read_file(output_path, 1u << 30);
    const std::string words = read_file(errors_path, 1u << 20).value_or("");
    return fail(ErrorCode::internal, fmt::format("the program diff failed with an exit status of {}: {}", exit.status,
                                                 printable(trim(words))));
  }

  BlobSource& source_;
  std::string directory_;
};

void append_section(std::string& text, std::string_view title, const auto& differences) {
  if (differences.empty()) return;
  text += fmt::format("{}:\n", title);
  for (const auto& difference : differences) text += "  " + difference_sentence(difference) + "\n";
}

Result<int> show_differences(Session& session, Interrupt& interrupt, const Execution& first, const Execution& second) {
  PLZ_ASSIGN(const auto blobs, PatientBlobs::open(session, interrupt, std::nullopt));
  MonitoredSource source(*blobs, interrupt.flag(), session.messages());
  PLZ_ASSIGN(const CauseDifferences causes, compare_causes(first, second, source));
  PLZ_ASSIGN(const ResultDifferences results, compare_results(session, first, second, source));
  if (!causes.not_recorded.empty()) session.messages().info(not_compared_sentence(causes.not_recorded));
  if (causes.empty() && results.empty()) {
    session.messages().info("Nothing differs");
    return 0;
  }
  std::string text;
  append_section(text, "Command", causes.command);
  append_section(text, "Parameters", causes.parameters);
  append_section(text, "Configuration", causes.configuration);
  append_section(text, "Code", causes.code);
  if (!causes.code.empty()) {
    PLZ_ASSIGN(const std::string code, CodeDiff(source).text_of(causes.code, session.environment()));
    text += code;
  }
  append_section(text, "Input", causes.input);
  append_section(text, "Environment", causes.environment);
  append_section(text, "Outcome", results.outcome);
  append_section(text, "Measures", results.measures);
  append_section(text, "Output", results.output);
  session.messages().end_progress();
  PLZ_TRY(session.out().write(text));
  return 1;
}

}  // namespace

Result<int> perform(Session& session, const DiffOptions& options) {
  PLZ_ASSIGN(Execution first, session.execution(options.first));
  PLZ_ASSIGN(Execution second, session.execution(options.second));
  PLZ_ASSIGN(second, counterpart_of(session, first, second));
  PLZ_ASSIGN(first, counterpart_of(session, second, first));
  Interrupt interrupt;
  auto status = show_differences(session, interrupt, first, second);
  if (!status && interrupt.raised()) return interrupt.exit_status();
  return status;
}

}  // namespace plz
