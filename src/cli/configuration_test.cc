#include "cli/configuration.h"

#include <stdlib.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/configuration_keys.h"
#include "os/temporary_directory_test.h"

namespace plz {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ConfigurationTest : public testing::Test {
 protected:
  ConfigurationTest() {
    EXPECT_TRUE(make_directories(root_.path("home")));
    EXPECT_TRUE(make_directories(work_));
    sources_ = {.working_directory = work_, .home = root_.path("home"), .login_name = "ada"};
    sources_.trusted_owners = trusted_owners("");
  }

  void file(std::string_view text) { root_.write("work/plz.config.json", text); }
  void variable(std::string name, std::string value) { sources_.environment.emplace_back(name, value); }
  void flag(std::string key, std::string value) { sources_.flags.push_back({key, value, "--" + key}); }

  Configuration load() {
    auto configuration = load_configuration(sources_);
    EXPECT_TRUE(configuration) << configuration.error().message;
    return configuration ? *configuration : Configuration{};
  }
  std::string error() {
    auto configuration = load_configuration(sources_);
    if (configuration) return "no error";
    EXPECT_FALSE(configuration.error().message.empty());
    return configuration.error().message + " | " + configuration.error().hint;
  }

  TemporaryDirectory root_;
  std::string work_ = root_.path("work");
  ConfigurationSources sources_;
};

TEST_F(ConfigurationTest, HasDefaultsForAll) {
  Configuration c = load();
  EXPECT_EQ(c.host, std::nullopt);
  EXPECT_EQ(c.port, 80);
  EXPECT_EQ(c.user, "ada");
  EXPECT_EQ(c.project, "work");
  EXPECT_EQ(c.context_path, work_);
  EXPECT_EQ(c.command, std::nullopt);
  EXPECT_EQ(c.market, MarketSpec{});
  EXPECT_EQ(c.resources, Resources{});
  EXPECT_EQ(c.indices_per_execution, 1);
  EXPECT_TRUE(c.network && c.use_emojis);
  EXPECT_FALSE(c.has_dockerfile || c.debug || c.quiet_build);
  EXPECT_TRUE(c.warnings.empty());
  EXPECT_EQ(c.merged.text, "{\"context_path\":\"" + work_ + "\",\"project\":\"work\",\"user\":\"ada\"}");
}

TEST_F(ConfigurationTest, TakesEveryKey) {
  file(R"({"host": "plz.example", "port": 8080,
    "connection_info": {"schema": "http-ssh", "username": "u", "path_to_private_key": "~/.ssh/id", "path_to_ca_file": "ca.pem"},
    "user": "Ada Löwe", "project": "p/q r", "command": ["python3", "a.py"], "image": "python:3",
    "image_extensions": ["RUN true"], "input": "file://data/x", "context_path": "code",
    "excluded_paths": ["a"], "included_paths": ["b"], "exclude_gitignored_files": false,
    "parameters": "p.json", "instance_type": "p3", "instance_market_type": "spot",
    "max_bid_price_in_dollars_per_hour": 0.5, "instance_max_uptime_in_minutes": 0,
    "instance_max_idle_time_in_minutes": 7, "docker_run_args": {"shm_size": "1g"},
    "environment": {"A": "x", "N": 1.5}, "parallel_indices_range": [2, 12], "indices_per_execution": 3,
    "resources": {"cpus": 1.5, "memory": "4GiB", "gpus": 2}, "network": false, "quiet_build": true,
    "debug": true, "log_level": "INFO", "use_emojis": false, "workarounds": {"x": 1}})");
  Configuration c = load();
  EXPECT_EQ(c.host, "plz.example");
  EXPECT_EQ(c.port, 8080);
  EXPECT_EQ(c.connection_info.schema, ConnectionSchema::http_ssh);
  EXPECT_EQ(c.connection_info.username, "u");
  EXPECT_EQ(c.connection_info.path_to_private_key, root_.path("home/.ssh/id"));
  EXPECT_EQ(c.connection_info.path_to_ca_file, work_ + "/ca.pem");
  EXPECT_EQ(c.user, "Ada Löwe");
  EXPECT_EQ(c.project, "p/q r");
  EXPECT_THAT(*c.command, ElementsAre("python3", "a.py"));
  EXPECT_EQ(c.image, "python:3");
  EXPECT_THAT(c.image_extensions, ElementsAre("RUN true"));
  EXPECT_EQ(c.input, "file://" + work_ + "/data/x");
  EXPECT_EQ(c.context_path, work_ + "/code");
  EXPECT_THAT(c.excluded_paths, ElementsAre("a"));
  EXPECT_THAT(c.included_paths, ElementsAre("b"));
  EXPECT_EQ(c.exclude_gitignored_files, false);
  EXPECT_EQ(c.parameters_path, work_ + "/p.json");
  EXPECT_EQ(c.market, (MarketSpec{"p3", MarketType::spot, 0.5, std::nullopt, 7}));
  EXPECT_EQ(c.docker_run_args.text, R"({"shm_size": "1g"})");
  EXPECT_EQ(c.environment, (EnvironmentVariables{{"A", "x"}, {"N", "1.5"}}));
  EXPECT_EQ(c.parallel_indices_range, (IndexRange{2, 12}));
  EXPECT_EQ(c.indices_per_execution, 3);
  EXPECT_EQ(c.resources, (Resources{1.5, 4ull << 30, 2}));
  EXPECT_FALSE(c.network || c.use_emojis);
  EXPECT_TRUE(c.quiet_build && c.debug);
  EXPECT_EQ(c.log_level, "info");
  EXPECT_EQ(c.workarounds.text, R"({"x":1})");
  EXPECT_THAT(c.merged.text, HasSubstr(R"("input": "file://)" + work_ + R"(/data/x")"));
  EXPECT_THAT(c.merged.text, HasSubstr(R"("resources": {"cpus":1.5,"gpus":2,"memory":"4GiB"})"));
}

TEST_F(ConfigurationTest, HasASetterAndACheckForEveryKey) {
  for (const auto& key : configuration_keys()) {
    EXPECT_TRUE(key.check && key.set) << key.name;
    EXPECT_EQ(find_configuration_key(key.name), &key);
  }
}

// Each source says its name as the project; the highest must win.
TEST_F(ConfigurationTest, GivesHigherSourcesPrecedence) {
  root_.write("home/.config/plz/plz.config.json", R"({"project": "user", "user": "user"})");
  EXPECT_EQ(load().project, "user");
  root_.write("plz.config.json", R"({"project": "parent", "image": "parent"})");
  EXPECT_EQ(load().project, "parent");
  file(R"({"project": "own"})");
  EXPECT_EQ(load().project, "own");
  root_.write("other.json", R"({"project": "variable"})");
  variable("PLZ_CONFIGURATION_PATH", "../other.json");
  EXPECT_EQ(load().project, "variable");
  root_.write("given.json", R"({"project": "given"})");
  sources_.explicit_path = "../given.json";
  EXPECT_EQ(load().project, "given");
  variable("PLZ_PROJECT", "environment");
  EXPECT_EQ(load().project, "environment");
  flag("project", "flag");
  EXPECT_EQ(load().project, "flag");
  EXPECT_EQ(load().user, "user");
  EXPECT_EQ(load().image, "parent");
}

TEST_F(ConfigurationTest, ReadsTheUsersFileBelowXdgConfigHome) {
  root_.write("home/.config/plz/plz.config.json", R"({"project": "home"})");
  root_.write("xdg/plz/plz.config.json", R"({"project": "xdg"})");
  variable("XDG_CONFIG_HOME", root_.path("xdg"));
  EXPECT_EQ(load().project, "xdg");
}

TEST_F(ConfigurationTest, MergesTheMembersOfObjectsAndReplacesTheRest) {
  root_.write("plz.config.json", R"({"environment": {"A": "1", "B": "1"}, "excluded_paths": ["a"],
                                     "parameters": {"x": 1}})");
  file(R"({"environment": {"B": "2"}, "excluded_paths": ["b"], "parameters": {"y": 1}})");
  Configuration c = load();
  EXPECT_EQ(c.environment, (EnvironmentVariables{{"A", "1"}, {"B", "2"}}));
  EXPECT_THAT(c.excluded_paths, ElementsAre("b"));
  EXPECT_EQ(c.parameters->text, R"({"y": 1})");
}

TEST_F(ConfigurationTest, HandsNumbersOnAsTheyWereWritten) {
  const std::string parameters = R"({"lr": 1e-3, "b": 1.0, "a": 12345678901234567890123, "deep": {"z": 1, "y": -0.0}})";
  root_.write(
      "plz.config.json",
      R"({"image": "x", "environment": {"LR": 1e-3, "NAME": "1e-3"}, "docker_run_args": {"mem_swappiness": 1}})");
  file("\xef\xbb\xbf{\"parameters\": " + parameters + R"(, "docker_run_args": {"cpu_shares": 1000000}})");
  Configuration c = load();
  EXPECT_EQ(c.parameters->text, parameters);
  EXPECT_EQ(c.environment, (EnvironmentVariables{{"LR", "1e-3"}, {"NAME", "1e-3"}}));
  EXPECT_EQ(c.docker_run_args.text, R"({"mem_swappiness": 1, "cpu_shares": 1000000})");
  EXPECT_THAT(c.merged.text, HasSubstr(parameters));
  EXPECT_THAT(c.merged.text, HasSubstr(R"({"LR": 1e-3, "NAME": "1e-3"})"));
}

TEST_F(ConfigurationTest, ResolvesPathsAgainstTheSourceThatGaveThem) {
  root_.write("plz.config.json", R"({"context_path": ".", "input": "file://~/data"})");
  EXPECT_EQ(load().context_path, root_.path());
  EXPECT_EQ(load().input, "file://" + root_.path("home/data"));
  variable("PLZ_INPUT", "file://data");
  flag("parameters", "../p.json");
  EXPECT_EQ(load().input, "file://" + work_ + "/data");
  EXPECT_EQ(load().parameters_path, root_.path("p.json"));
}

TEST_F(ConfigurationTest, TakesBackWithNull) {
  root_.write("plz.config.json", R"({"image": "x", "project": "p", "instance_max_uptime_in_minutes": 5})");
  file(R"({"image": null, "project": null, "instance_max_uptime_in_minutes": null})");
  EXPECT_EQ(load().image, std::nullopt);
  EXPECT_EQ(load().project, "work");
  EXPECT_EQ(load().market.instance_max_uptime_in_minutes, std::nullopt);
}

TEST_F(ConfigurationTest, ReadsTheEnvironment) {
  variable("PLZ_DATA_DIR", "/data");
  variable("PLZ_TEST_SOMETHING", "1");
  variable("PLZ_PORT", "8080");
  variable("PLZ_USE_EMOJIS", "false");
  variable("PLZ_COMMAND", R"(["make", "all"])");
  variable("PLZ_RESOURCES", R"({"gpus": 1})");
  variable("PLZ_PARAMETERS", R"({"lr": 0.1})");
  variable("PLZ_USER", "[not a list]");
  variable("PLZ_HOST", "");
  variable("NOT_PLZ_PORT", "x");
  Configuration c = load();
  EXPECT_EQ(c.port, 8080);
  EXPECT_FALSE(c.use_emojis);
  EXPECT_THAT(*c.command, ElementsAre("make", "all"));
  EXPECT_EQ(c.resources.gpus, 1u);
  EXPECT_EQ(c.parameters->text, R"({"lr": 0.1})");
  EXPECT_EQ(c.user, "[not a list]");
  EXPECT_EQ(c.host, std::nullopt);
}

TEST_F(ConfigurationTest, HasThePortOfItsSchema) {
  file(R"({"connection_info": {"schema": "https"}})");
  EXPECT_EQ(load().port, 443);
  flag("port", "null");
  EXPECT_EQ(load().port, 443);
}

TEST_F(ConfigurationTest, Warns) {
  file(R"({"max_bid_price_in_dollars_per_hour": 1})");
  EXPECT_THAT(load().warnings, ElementsAre(HasSubstr("max_bid_price_in_dollars_per_hour is ignored")));
  file(R"({"host": "h", "instance_max_uptime_in_minutes": 90})");
  EXPECT_THAT(load().warnings, ElementsAre(HasSubstr("lives 90 minutes at most")));
  file(R"({"host": "h", "instance_max_uptime_in_minutes": 0})");
  EXPECT_TRUE(load().warnings.empty());
}

struct Wrong {
  const char* file;
  const char* words;  // "…" begins with the file's name
};

TEST_F(ConfigurationTest, SaysWhatIsWrongInAFile) {
  const Wrong cases[] = {
      {"{\n  \"user\": \"a\",\n}",
       ":3:1: unexpected '}'; expected string literal | JSON has no comma after the last member"},
      {"{\"user\": 'a'}", ":1:10: invalid literal; last read: '\"user\": '' | JSON's strings stand in double quotes"},
      {"{ // user\n}", ":1:3: invalid literal; last read: '{ /'; expected string literal | JSON has no comments"},
      {"{\"user\": tru}", ":1:13: invalid literal"},
      {"", ":1:1: unexpected end of input"},
      {"{\"é\": 1, }", ":1:10: unexpected '}'"},
      {"{\"user\": \"a\" \"b\"}", ":1:16: unexpected string literal; expected '}'"},
      {"{} {}", ":1:4: unexpected '{'; expected end of input"},
      {"{\"user\": \"\xff\"}", ":1:11: invalid string: ill-formed UTF-8 byte"},
      {"{\"port\": 1e999}", ":1:15: number overflow parsing '1e999'"},
      {"[1]", ":1:1: expected a JSON object, found a list"},
      {"{\"user\": \"a\",\n \"user\": \"b\"}", ":2:2: the key \"user\" is given twice"},
      {"{\"environment\": {\"A\": \"\", \"A\": \"\"}}", ":1:27: the key \"A\" is given twice"},
      {"{\n \"comand\": [\"a\"]}", ":2:2: unknown key \"comand\" | did you mean \"command\"?"},
      {"{\"zzzzzzzzzzzzzz\": 1}", ":1:2: unknown key \"zzzzzzzzzzzzzz\" | docs/configuration.md lists the keys"},
      {"{\"port\": \"80\"}", ":1:2: port: expected an integer from 1 to 65535, found the string \"80\""},
      {"{\"port\": 80.5}", "port: expected an integer from 1 to 65535, found the number 80.5"},
      {"{\"port\": 0}", "found the number 0"},
      {"{\"port\": 18446744073709551615}", "found the number 18446744073709551615"},
      {"{\"host\": \"http://x\"}", "host: expected the name or address of a machine"},
      {"{\"connection_info\": {\"scheme\": 1}}",
       "connection_info.scheme: is not known: connection_info takes schema, username, path_to_private_key, "
       "path_to_ca_file | did you mean \"schema\"?"},
      {"{\"connection_info\": {\"schema\": \"ftp\"}}",
       "connection_info.schema: expected \"http\" or \"https\" or \"http-ssh\", found the string \"ftp\""},
      {"{\"user\": \"\"}", "user: expected a printable text that is not empty"},
      {"{\"project\": \"a\\nb\"}", "project: expected a printable text"},
      {"{\"command\": \"python3 a.py\"}", "command: expected a list of texts, found the string \"python3 a.py\""},
      {"{\"command\": [\"a\", 1]}", "command[1]: expected a text, found the number 1"},
      {"{\"command\": []}", "command: expected a program and its arguments, found none"},
      {"{\"command\": [\"a\\u0000\"]}", "command[0]: expected a text"},
      {"{\"input\": \"ftp://x\"}", "input: expected file://PATH, input_id://ID or output://EXECUTION[/PATH]"},
      {"{\"input\": \"data\"}", "did you mean \"file://data\"?"},
      {"{\"input\": \"file://\"}", "input: expected file://PATH"},
      {"{\"input\": \"output://nine/x\"}", "names no execution by its id"},
      {"{\"exclude_gitignored_files\": \"yes\"}", "exclude_gitignored_files: expected true, false or null"},
      {"{\"network\": null}", "network: expected true or false, found null"},
      {"{\"parameters\": [1]}", "parameters: expected an object, or the path of a file that holds one, found a list"},
      {"{\"instance_market_type\": \"sopt\"}", "instance_market_type: expected \"on_demand\" or \"spot\""},
      {"{\"max_bid_price_in_dollars_per_hour\": -1}", "expected a number above 0, found the number -1"},
      {"{\"instance_max_idle_time_in_minutes\": -1}", "instance_max_idle_time_in_minutes: expected an integer from 0"},
      {"{\"docker_run_args\": {\"shm_sise\": \"1g\"}}",
       "docker_run_args.shm_sise: there is no such argument | did you mean \"shm_size\"?"},
      {"{\"docker_run_args\": {\"shm_size\": \"much\"}}", "docker_run_args.shm_size: must be a number of bytes"},
      {"{\"docker_run_args\": {\"detach\": true}}", "docker_run_args.detach: a job runs without the shell"},
      {"{\"environment\": {\"A\": true}}", "environment.A: expected a text, found true"},
      {"{\"environment\": {\"A=B\": \"\"}}", "environment.A=B: is no name of a variable"},
      {"{\"environment\": {\"CONFIGURATION_FILE\": \"\"}}", "cannot be set: plz sets it for each job"},
      {"{\"parallel_indices_range\": [0]}", "parallel_indices_range: expected a list of two integers"},
      {"{\"parallel_indices_range\": [5, 5]}", "the range [5, 5] holds no index"},
      {"{\"parallel_indices_range\": [5, 2]}", "the range [5, 2] holds no index"},
      {"{\"parallel_indices_range\": [-1, 2]}", "parallel_indices_range[0]: expected an integer of 0 or more"},
      {"{\"parallel_indices_range\": [0, 1000000]}", "would make 1000000 sub-executions; 100000 is the most"},
      {"{\"indices_per_execution\": 0}", "indices_per_execution: expected an integer of 1 or more"},
      {"{\"indices_per_execution\": 2}", "there is no parallel_indices_range to divide"},
      {"{\"resources\": {\"cpu\": 1}}", "resources.cpu: is not known"},
      {"{\"resources\": {\"cpus\": -1}}", "resources.cpus: expected a number above 0, found the number -1"},
      {"{\"resources\": {\"memory\": \"4 gigs\"}}", "resources.memory: expected a number of bytes above 0"},
      {"{\"resources\": {\"memory\": -5}}", "resources.memory: expected a number of bytes above 0"},
      {"{\"resources\": {\"gpus\": 1.5}}", "resources.gpus: expected an integer from 0 to 1024"},
      {"{\"log_level\": \"loud\"}", "log_level: expected \"debug\""},
      {"{\"instance_market_type\": \"spot\"}", "\"spot\" needs max_bid_price_in_dollars_per_hour, which is not set"},
      {"{\"image_extensions\": [\"RUN x\"]}", "image_extensions: there is no image to extend"},
  };
  for (const Wrong& c : cases) {
    file(c.file);
    std::string message = error();
    EXPECT_THAT(message, StartsWith(work_ + "/plz.config.json:")) << c.file;
    EXPECT_THAT(message, HasSubstr(c.words)) << c.file;
  }
}

TEST_F(ConfigurationTest, RefusesAFileNestedTooDeep) {
  file("{\"docker_run_args\": {\"a\": " + std::string(100'000, '[') + std::string(100'000, ']') + "}}");
  EXPECT_THAT(error(), HasSubstr("nested more than 100 deep"));
}

TEST_F(ConfigurationTest, SaysWhatIsWrongInVariablesAndFlags) {
  variable("PLZ_PROJEKT", "x");
  EXPECT_EQ(error(), "PLZ_PROJEKT: unknown key \"projekt\" | did you mean \"project\"?");
  sources_.environment = {{"PLZ_PORT", "eighty"}};
  EXPECT_THAT(error(), HasSubstr("PLZ_PORT is not JSON: column 1: invalid literal"));
  sources_.environment = {{"PLZ_PORT", ""}};
  EXPECT_THAT(error(), HasSubstr("PLZ_PORT is empty: expected JSON (integer or null)"));
  sources_.environment = {{"PLZ_USER", "\xff"}};
  EXPECT_THAT(error(), HasSubstr("PLZ_USER: \"\\xff\" is not UTF-8"));
  sources_.environment = {{"PLZ_RESOURCES", R"({"gpus": -1})"}};
  EXPECT_THAT(error(), StartsWith("PLZ_RESOURCES: resources.gpus: expected an integer from 0 to 1024"));
  sources_.environment.clear();
  flag("instance_market_type", "spot");
  EXPECT_THAT(error(), StartsWith("--instance_market_type: instance_market_type: \"spot\" needs"));
}

TEST_F(ConfigurationTest, NamesAnExplicitFileThatIsMissing) {
  sources_.explicit_path = "none.json";
  auto configuration = load_configuration(sources_);
  ASSERT_FALSE(configuration);
  EXPECT_EQ(configuration.error().code, ErrorCode::not_found);
  EXPECT_THAT(configuration.error().message, HasSubstr("given by -c"));
  EXPECT_THAT(configuration.error().message, HasSubstr(work_ + "/none.json"));
}

TEST_F(ConfigurationTest, RefusesImageAndCommandBesideADockerfile) {
  root_.write("work/plz.Dockerfile", "FROM scratch\n");
  EXPECT_TRUE(load().has_dockerfile);
  flag("command", R"(["true"])");
  EXPECT_THAT(error(), HasSubstr("--command: command: cannot stand beside " + work_ + "/plz.Dockerfile"));
  flag("command", "null");
  file(R"({"image": "python"})");
  EXPECT_THAT(error(), HasSubstr("image: cannot stand beside"));
}

TEST_F(ConfigurationTest, RefusesArgumentsForAContainerThatIsNotThere) {
  file(R"({"docker_run_args": {"shm_size": "1g"}})");
  EXPECT_THAT(error(), HasSubstr("docker_run_args: there is no container to hand them to"));
  flag("image", "debian:12");
  EXPECT_EQ(load().docker_run_args.text, R"({"shm_size": "1g"})");
}

TEST_F(ConfigurationTest, TakesNothingFromAFileThatAllCanWrite) {
  root_.write("plz.config.json", R"({"host": "elsewhere"})", 0666);
  EXPECT_EQ(error(), root_.path("plz.config.json") +
                         " can be changed by everybody: nothing of it is used | have it removed, or made yours (chown, "
                         "chmod); if you trust it all the same, add \"" +
                         root_.path() + "\" to safe_directories in " + root_.path("home/.config/plz/plz.config.json"));
  root_.write("home/.config/plz/plz.config.json", R"({"safe_directories": ["~/..", "/elsewhere"]})");
  EXPECT_EQ(load().host, "elsewhere");
  variable("PLZ_SAFE_DIRECTORIES", "");
  EXPECT_THAT(error(), HasSubstr("can be changed by everybody"));
}

TEST_F(ConfigurationTest, HoldsEveryFileToTheSameRules) {
  file("{}");
  root_.write("given.json", "{}", 0666);
  root_.write("work/plz.Dockerfile", "FROM a", 0646);
  root_.write("home/.config/plz/plz.config.json", "{}", 0602);
  EXPECT_THAT(error(), StartsWith(root_.path("home/.config/plz/plz.config.json")));
  EXPECT_THAT(error(), Not(HasSubstr("safe_directories")));  // it cannot vouch for itself
  variable("PLZ_SAFE_DIRECTORIES", "[\"" + root_.path("home") + "/*\"]");
  EXPECT_THAT(error(), StartsWith(work_ + "/plz.Dockerfile can be changed by everybody"));
  ASSERT_EQ(chmod((work_ + "/plz.Dockerfile").c_str(), 0664), 0);
  EXPECT_TRUE(load().has_dockerfile);
  sources_.explicit_path = "../given.json";
  EXPECT_THAT(error(), HasSubstr("given by -c: " + root_.path("given.json") + " can be changed by everybody"));
  variable("PLZ_CONFIGURATION_PATH", "../given.json");
  sources_.explicit_path.clear();
  EXPECT_THAT(error(), HasSubstr("given by PLZ_CONFIGURATION_PATH"));
}

TEST_F(ConfigurationTest, TakesSafeDirectoriesFromThePersonAlone) {
  file(R"({"safe_directories": "*"})");
  EXPECT_THAT(error(),
              StartsWith(work_ + "/plz.config.json:1:2: safe_directories: cannot be set here | only your own"));
  root_.write("home/.config/plz/plz.config.json", R"({"safe_directories": "*"})");
  EXPECT_THAT(error(), HasSubstr("cannot be set here"));
  file("{}");
  EXPECT_THAT(load().trust.safe_directories, ElementsAre("*"));
  EXPECT_THAT(load().merged.text, Not(HasSubstr("safe_directories")));
  sources_.working_directory = root_.path("home/.config/plz");  // the person's own, and the directory's
  EXPECT_THAT(load().trust.safe_directories, ElementsAre("*"));
  root_.write("home/.config/plz/plz.config.json", R"({"safe_directories": [""]})");
  EXPECT_THAT(error(), HasSubstr("safe_directories[0]: expected a text that is not empty"));
}

TEST(ParseMemory, TakesWhatPeopleWrite) {
  EXPECT_EQ(parse_memory("100000"), 100000u);
  EXPECT_EQ(parse_memory("512m"), 512u << 20);
  EXPECT_EQ(parse_memory("4GiB"), 4ull << 30);
  EXPECT_EQ(parse_memory("1.5 G"), 3ull << 29);
  EXPECT_EQ(parse_memory("2KB"), 2000u);
  EXPECT_EQ(parse_memory("1t"), 1ull << 40);
  for (const char* wrong : {"", "G", "-1", "4 gigs", "1e3", "inf", "nan", "99999999T", "0x10"})
    EXPECT_FALSE(parse_memory(wrong)) << wrong;
}

TEST(ConfigurationReference, IsTheTableOfTheCode) {
  std::string path = std::string(PLZ_SOURCE_DIR) + "/docs/configuration.md";
  auto page = read_file(path);
  ASSERT_TRUE(page) << page.error().message;
  constexpr std::string_view kBegin = "<!-- keys: begin -->\n", kEnd = "<!-- keys: end -->";
  size_t begin = page->find(kBegin), end = page->find(kEnd);
  ASSERT_TRUE(begin != page->npos && end != page->npos && begin < end);
  begin += kBegin.size();
  if (getenv("WRITE_REFERENCE")) {
    page->replace(begin, end - begin, configuration_reference());
    ASSERT_TRUE(write_file_atomically(path, *page, 0644, Sync::no));
    return;
  }
  EXPECT_EQ(page->substr(begin, end - begin), configuration_reference())
      << "run plz_cli_test with WRITE_REFERENCE=1 to write the table anew";
}

}  // namespace
}  // namespace plz
