#include "cli/metadata.h"

#include <stdlib.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "os/file.h"
#include "os/temporary_directory_test.h"
#include "store/hasher.h"

namespace plz {
namespace {

using Json = nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class MetadataTest : public testing::Test {
 protected:
  MetadataTest() {
    sources_.plz_version = "1.2.3";
    sources_.working_directory = root_.path("code");
    sources_.context_path = root_.path("code");
    sources_.environment = {{"PATH", getenv("PATH")}};
    sources_.home = root_.path("home");
    sources_.command = {"true"};
    EXPECT_TRUE(make_directories(root_.path("code")));
  }
  Json collect() {
    metadata_ = PendingMetadata::start(sources_).finish();
    Json json = Json::parse(metadata_.json.text, nullptr, false);
    EXPECT_TRUE(json.is_object()) << metadata_.json.text;
    return json;
  }
  void git(const std::string& arguments) {
    ASSERT_EQ(system(("cd '" + root_.path("code") + "' && git -c user.email=a@b -c user.name=a " + arguments +
                      " >/dev/null 2>&1")
                         .c_str()),
              0)
        << arguments;
  }

  TemporaryDirectory root_;
  MetadataSources sources_;
  Metadata metadata_;
};

TEST_F(MetadataTest, TellsTheMachineAndThePlace) {
  Json json = collect();
  EXPECT_EQ(json["plz"], "1.2.3");
  EXPECT_EQ(json["directory"], root_.path("code"));
  EXPECT_FALSE(json["machine"]["kernel"].get<std::string>().empty());
  EXPECT_GT(json["machine"]["memory_bytes"].get<uint64_t>(), 0u);
  EXPECT_FALSE(json.contains("git"));
  EXPECT_FALSE(json.contains("python"));
  EXPECT_THAT(metadata_.blobs, IsEmpty());
}

TEST_F(MetadataTest, RecordsNamesOfVariablesAndValuesOfThoseThatChangeResults) {
  sources_.environment = {{"PATH", "/bin"},       {"SECRET_TOKEN", "hush"}, {"OMP_NUM_THREADS", "2"},
                          {"CONDA_PREFIX", "/c"}, {"PLZ_HOST", "x"},        {"LR", "shell's"},
                          {"OLDPWD", "/"},        {"_", "/bin/plz"},        {"MY_SEED", "3"},
                          {"EDITOR", "hush"},     {"CUDA_API_KEY", "hush"}, {"TORCH_URL", "https://a:hush@b/"}};
  sources_.configured = {{"LR", "0.1"}, {"HF_TOKEN", "hush"}};
  sources_.recorded_variables = {"MY_*", "SECRET_*"};
  Json json = collect();
  EXPECT_EQ(json["environment"]["names"],
            Json::array({"CONDA_PREFIX", "CUDA_API_KEY", "EDITOR", "HF_TOKEN", "LR", "MY_SEED", "OMP_NUM_THREADS",
                         "PATH", "SECRET_TOKEN", "TORCH_URL"}));
  EXPECT_EQ(
      json["environment"]["values"],
      Json({{"PATH", "/bin"}, {"OMP_NUM_THREADS", "2"}, {"CONDA_PREFIX", "/c"}, {"LR", "0.1"}, {"MY_SEED", "3"}}));
  EXPECT_THAT(metadata_.json.text, testing::Not(HasSubstr("hush")));

  sources_.shell_reaches_job = false;
  EXPECT_EQ(collect()["environment"]["names"], Json::array({"HF_TOKEN", "LR"}));
  sources_.shell_reaches_job = true;
  sources_.host_environment = false;
  EXPECT_EQ(collect()["environment"]["names"], Json::array({"HF_TOKEN", "LR"}));
}

TEST_F(MetadataTest, TellsWhichLibrariesAreLoaded) {
  ASSERT_TRUE(make_directories(root_.path("code/lib")));
  root_.write("code/lib/libblas.so.3", *read_file("/proc/self/exe", 1u << 30), 0755);
  sources_.environment.emplace_back("LD_LIBRARY_PATH", "lib");
  EXPECT_EQ(collect()["libraries"]["libblas.so.3"]["path"], root_.path("code/lib/libblas.so.3"));
  EXPECT_TRUE(collect()["machine"]["cpu_features"].is_array());
  sources_.host_environment = false;
  EXPECT_FALSE(collect().contains("libraries"));
}

TEST_F(MetadataTest, TellsTheStateOfGit) {
  git("init -q -b trunk");
  git("remote add origin https://ada:password@example.org/x");
  root_.write("code/a", "1");
  git("add a");
  git("commit -q -m x");
  Json json = collect()["git"];
  EXPECT_EQ(json["root"], root_.path("code"));
  EXPECT_EQ(json["branch"], "trunk");
  EXPECT_EQ(json["commit"].get<std::string>().size(), 40u);
  EXPECT_EQ(json["dirty"], false);
  EXPECT_EQ(json["untracked_files"], false);
  EXPECT_THAT(metadata_.json.text, testing::Not(HasSubstr("password")));

  root_.write("code/a", "2");
  root_.write("code/b", "");
  json = collect()["git"];
  EXPECT_EQ(json["dirty"], true);
  EXPECT_EQ(json["untracked_files"], true);
}

TEST_F(MetadataTest, RefersToTheInventoryOfPython) {
  std::string python =
      root_.write("bin/python3",
                  "#!/bin/sh\nprintf 'version 3.99\\nimplementation Fake\\n\\n{\"packages\":{\"x\":\"1\"}}'\n", 0755);
  sources_.command = {"python3", "train.py"};
  sources_.configured = {{"PATH", root_.path("bin") + ":/bin:/usr/bin"}};
  Json json = collect()["python"];
  EXPECT_EQ(json["interpreter"], python);
  EXPECT_EQ(json["version"], "3.99");
  EXPECT_EQ(json["implementation"], "Fake");
  ASSERT_EQ(metadata_.blobs.size(), 1u);
  EXPECT_EQ(json["inventory"], metadata_.blobs[0].digest.hex());
  EXPECT_EQ(metadata_.blobs[0].bytes, R"({"packages":{"x":"1"}})");
  EXPECT_EQ(metadata_.blobs[0].digest, digest_of(metadata_.blobs[0].bytes));
  EXPECT_TRUE(path_exists(root_.path("home/.cache/plz")));

  sources_.host_environment = false;
  EXPECT_FALSE(collect().contains("python"));
}

TEST_F(MetadataTest, TellsThatPythonFailed) {
  root_.write("code/python3", "#!/bin/sh\necho broken >&2; exit 2\n", 0755);
  sources_.command = {"./python3"};
  Json json = collect()["python"];
  EXPECT_THAT(json["error"].get<std::string>(), HasSubstr("broken"));
  EXPECT_FALSE(json.contains("inventory"));
}

TEST_F(MetadataTest, WarnsOfLiveCode) {
  ASSERT_TRUE(make_directories(root_.path("code/src")));
  ASSERT_TRUE(make_directories(root_.path("other")));
  root_.write("code/python3",
              "#!/bin/sh\nprintf 'version 3.99\\neditable digits " + root_.path("code") + "\\npath " +
                  root_.path("code/src") + "\\neditable tool " + root_.path("other") + "\\npath " + root_.path("code") +
                  "\\n\\n{}'\n",
              0755);
  sources_.command = {"./python3"};
  sources_.environment.emplace_back("PYTHONPATH", "src:" + root_.path("code/src") + ":" + root_.path("other"));
  collect();
  EXPECT_THAT(metadata_.warnings,
              ElementsAre(HasSubstr("PYTHONPATH holds " + root_.path("code/src")),
                          HasSubstr("digits is installed in editable form from " + root_.path("code") + ":"),
                          HasSubstr("python3 imports from " + root_.path("code/src") + ":")));
}

}  // namespace
}  // namespace plz
