#include "cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plz {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kAnId = "019aab9e-3c6f-7d52-9d0f-0a4f2f1f7c11";
constexpr const char* kAnotherId = "019aab9f-11aa-7c01-8e55-6f0d2b1a9c33";

CommandLine parsed(const std::vector<std::string>& arguments) {
  auto result = parse_command_line(arguments);
  if (!result) ADD_FAILURE() << result.error().message;
  if (!result || !std::holds_alternative<CommandLine>(*result)) return {};
  return std::get<CommandLine>(*result);
}

template <typename Options>
Options options(const std::vector<std::string>& arguments) {
  CommandLine line = parsed(arguments);
  if (!std::holds_alternative<Options>(line.command)) {
    ADD_FAILURE() << "parsed as another command: " << line.name;
    return {};
  }
  return std::get<Options>(line.command);
}

std::string refusal(const std::vector<std::string>& arguments) {
  auto result = parse_command_line(arguments);
  if (result) return "accepted";
  EXPECT_EQ(result.error().code, ErrorCode::invalid);
  return result.error().message + " | " + result.error().hint;
}

std::string help(const std::vector<std::string>& arguments) {
  auto result = parse_command_line(arguments);
  if (!result || !std::holds_alternative<HelpText>(*result)) return "no help";
  return std::get<HelpText>(*result).text;
}

TEST(CommandLine, RunTakesEverythingAfterTheDashesAsItIs) {
  auto run = options<RunOptions>({"run", "-p", "a.json", "-o", "out/%e", "--", "python3", "-c", "--help", "--"});
  EXPECT_EQ(run.parameters_path, "a.json");
  EXPECT_EQ(run.output_directory, "out/%e");
  EXPECT_FALSE(run.detach);
  EXPECT_THAT(run.arguments, ElementsAre("python3", "-c", "--help", "--"));
}

TEST(CommandLine, LongOptionsMayBeShortened) {
  EXPECT_EQ(options<RunOptions>({"run", "--output", "x"}).output_directory, "x");
  EXPECT_EQ(options<RunOptions>({"run", "--output=x"}).output_directory, "x");
  EXPECT_TRUE(options<RunOptions>({"run", "--det"}).detach);
  EXPECT_EQ(options<RunOptions>({"run", "--com", "true"}).command, "true");
  EXPECT_EQ(options<LogsOptions>({"logs", "--si", "start"}).since, "start");
}

TEST(CommandLine, AShortFormThatMeansTwoThingsIsRefused) {
  EXPECT_THAT(refusal({"run", "--co", "true"}), HasSubstr("--co may mean --configuration or --command"));
  EXPECT_THAT(refusal({"kill", "--o"}), testing::Not(HasSubstr("may mean")));
}

TEST(CommandLine, TheExecutionMayStandAnywhere) {
  const auto id = *ExecutionId::parse(kAnId);
  EXPECT_EQ(options<LogsOptions>({"logs", kAnId, "-s", "start"}).execution, id);
  EXPECT_EQ(options<LogsOptions>({"logs", "-s", "start", kAnId}).execution, id);
  EXPECT_EQ(options<OutputOptions>({"output", "-f", kAnId, "-p", "a/b"}).execution, id);
  EXPECT_EQ(options<OutputOptions>({"output", "-f", kAnId, "-p", "a/b"}).path, "a/b");
  EXPECT_EQ(options<StatusOptions>({"status"}).execution, std::nullopt);
}

TEST(CommandLine, GlobalOptionsMayStandBeforeOrAfterTheCommand) {
  for (const auto& arguments : {std::vector<std::string>{"-c", "x.json", "-t", "2.5", "status"},
                                {"status", "-c", "x.json", "-t", "2.5"},
                                {"status", "--configuration=x.json", "--ping", "2.5"}}) {
    const CommandLine line = parsed(arguments);
    EXPECT_EQ(line.global.configuration_path, "x.json");
    EXPECT_EQ(line.global.ping_timeout, std::chrono::milliseconds(2500));
  }
}

TEST(CommandLine, EveryCommandIsParsedIntoItsOwnOptions) {
  EXPECT_TRUE(options<RerunOptions>({"rerun", "--failed-only"}).failed_only);
  EXPECT_EQ(options<RerunOptions>({"rerun", "-p", "x"}).parameters_path, "x");
  EXPECT_TRUE(options<StatusOptions>({"status", "--json"}).json);
  EXPECT_TRUE(options<OutputOptions>({"output", "--rewrite"}).rewrite_subexecutions);
  EXPECT_TRUE(options<MeasuresOptions>({"measures", "-s"}).summary);
  EXPECT_TRUE(options<DescribeOptions>({"describe", "--json"}).json);
  EXPECT_TRUE(options<ListOptions>({"list", "-a"}).all_users);
  EXPECT_EQ(options<StopOptions>({"stop", "--grace", "3"}).grace, std::chrono::seconds(3));
  EXPECT_TRUE(options<ListContextOptions>({"list-context", "-e"}).excluded);
  EXPECT_EQ(options<CompletionOptions>({"completion", "fish"}).shell, "fish");
  EXPECT_EQ(options<DiffOptions>({"diff", kAnId, kAnotherId}).second, *ExecutionId::parse(kAnotherId));
  EXPECT_EQ(parsed({"ping-backend"}).name, "ping-backend");
  EXPECT_EQ(parsed({"last"}).name, "last");
  EXPECT_EQ(options<VerifyOptions>({"verify", kAnId}).execution, *ExecutionId::parse(kAnId));
}

TEST(CommandLine, History) {
  auto history =
      options<HistoryOptions>({"history", "--where", "parameters.lr < 0.1", "--limit", "5", "--format", "csv"});
  EXPECT_EQ(history.where, "parameters.lr < 0.1");
  EXPECT_EQ(history.limit, 5u);
  EXPECT_EQ(history.format, HistoryFormat::csv);
  EXPECT_FALSE(history.all);
  EXPECT_THAT(refusal({"history", "--format", "xml"}), HasSubstr("--format"));
  EXPECT_THAT(refusal({"history", "--limit", "-5"}), HasSubstr("--limit"));
}

TEST(CommandLine, KillTakesSeveralInstances) {
  auto kill = options<KillOptions>({"kill", "-i", std::string(kAnId) + "," + kAnotherId, "--oh-yeah"});
  EXPECT_THAT(kill.instances, ElementsAre(*InstanceId::parse(kAnId), *InstanceId::parse(kAnotherId)));
  EXPECT_TRUE(kill.oh_yeah);
  EXPECT_EQ(options<KillOptions>({"kill", "-i", kAnId, "-i", kAnotherId}).instances.size(), 2u);
  EXPECT_TRUE(options<KillOptions>({"kill", "--all-of-them-plz", "--berserk"}).berserk);
}

TEST(CommandLine, UnknownNamesAreAnsweredWithTheNearest) {
  EXPECT_THAT(refusal({"rn"}), HasSubstr("did you mean run?"));
  EXPECT_THAT(refusal({"xyzzy"}), HasSubstr("plz --help"));
  EXPECT_THAT(refusal({"run", "--paremeters", "x"}), HasSubstr("did you mean --parameters?"));
  EXPECT_THAT(refusal({"run", "-x"}), HasSubstr("no option -x"));
  EXPECT_THAT(refusal({"status", "--detach"}), HasSubstr("no option --detach"));
}

TEST(CommandLine, WrongValuesAreRefusedInOurOwnWords) {
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{"history", "--limit", "many"}, "--limit takes a whole number from 0 to 1000000000000, not \"many\""},
      {{"history", "-n", "-3"}, "--limit takes a whole number from 0 to 1000000000000, not \"-3\""},
      {{"history", "--format", "xml"}, "--format takes json, jsonl, csv or table, not \"xml\""},
      {{"stop", "--grace=1.5"}, "--grace takes a whole number from 0 to 86400, not \"1.5\""},
      {{"ping-backend", "-t", "soon"}, "--ping-timeout takes a number of seconds, from 0.001 to 86400, not \"soon\""},
      {{"ping-backend", "-t", "0"}, "--ping-timeout takes a number of seconds, from 0.001 to 86400, not \"0\""},
      {{"completion", "tcsh"}, "`plz completion` takes bash, zsh or fish, not \"tcsh\""},
      {{"completion"}, "a word is missing: `plz completion SHELL`"},
      {{"diff", kAnId}, "a word is missing: `plz diff FIRST SECOND`"},
      {{"status", kAnId, kAnId}, "there is a word too many: `plz status [EXECUTION]`"},
      {{"run", "-p"}, "-p needs a value behind it"},
      {{"run", "--parameters"}, "--parameters needs a value behind it"},
  };
  for (const auto& [arguments, message] : cases) EXPECT_THAT(refusal(arguments), StartsWith(message + " | "));
}

TEST(CommandLine, OfAnOptionThatIsGivenTwiceTheLastCounts) {
  EXPECT_EQ(options<HistoryOptions>({"history", "-n", "1", "--limit", "2"}).limit, 2);
  EXPECT_EQ(options<RunOptions>({"run", "-p", "a", "-p", "b"}).parameters_path, "b");
}

TEST(CommandLine, MisplacedWordsAreExplained) {
  EXPECT_THAT(refusal({"run", "python3", "x.py"}), HasSubstr("plz run -- python3"));
  EXPECT_THAT(refusal({"status", "--", "x"}), HasSubstr("only `plz run` runs a command"));
  EXPECT_THAT(refusal({"last", kAnId}), HasSubstr("does not take"));
  EXPECT_THAT(refusal({"logs", "not-an-id"}), HasSubstr("\"not-an-id\" is not the id of an execution"));
  EXPECT_NE(refusal({"logs", kAnId, kAnotherId}), "accepted");
  EXPECT_NE(refusal({"run", "-o"}), "accepted");
  EXPECT_NE(refusal({"diff", kAnId}), "accepted");
  EXPECT_THAT(refusal({"run", "--detach=yes"}), HasSubstr("--detach takes no value"));
}

TEST(CommandLine, HelpAndVersion) {
  EXPECT_THAT(help({}), HasSubstr("Usage: plz [OPTIONS] COMMAND"));
  EXPECT_THAT(help({"--help"}), HasSubstr("ping-backend"));
  EXPECT_THAT(help({"-h"}), testing::Not(HasSubstr("__complete")));
  EXPECT_THAT(help({"run", "--help"}), HasSubstr("-- COMMAND"));
  EXPECT_THAT(help({"run", "-h"}), HasSubstr("Examples:"));
  EXPECT_THAT(help({"help", "history"}), HasSubstr("--where"));
  EXPECT_THAT(help({"--version"}), testing::MatchesRegex("plz [0-9.]+\n"));
  // What comes after the dashes is the job's.
  EXPECT_TRUE(std::holds_alternative<CommandLine>(*parse_command_line({"run", "--", "x", "--help"})));
}

TEST(CommandLine, DescribesItselfForCompletionAndManual) {
  for (const CommandDescription& command : describe_commands()) {
    if (command.name != "run") continue;
    EXPECT_FALSE(command.takes_execution);
    for (const OptionDescription& option : command.options) {
      if (option.long_name == "detach") {
        EXPECT_FALSE(option.takes_value);
      }
      if (option.long_name == "parameters") {
        EXPECT_TRUE(option.takes_value && option.short_name == "p");
      }
    }
    return;
  }
  FAIL() << "there is no run";
}

}  // namespace
}  // namespace plz
