#include "cli/environment_comparison.h"

#include <gmock/gmock.h>

#include "store/hasher.h"
#include "store/memory/memory_blob_channel.h"

namespace plz {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class EnvironmentComparisonTest : public testing::Test {
 protected:
  EnvironmentComparison compared() { return compare_environments(before_.spec, after_.spec, store_); }
  void variables(const std::string& before, const std::string& after) {
    before_.spec.metadata.text = "{\"environment\": " + before + "}";
    after_.spec.metadata.text = "{\"environment\": " + after + "}";
  }
  MemoryBlobChannel store_;
  Execution before_, after_;
};

TEST_F(EnvironmentComparisonTest, ValuesOfVariablesAreToldAsTheyAre) {
  variables(R"({"names": ["A", "B", "OMP_NUM_THREADS", "TZ"], "values": {"OMP_NUM_THREADS": "1", "TZ": ""}})",
            R"({"names": ["B", "C", "OMP_NUM_THREADS", "PATH", "X"],
                "values": {"OMP_NUM_THREADS": "2", "PATH": "/a b", "X": "set"}})");
  EXPECT_THAT(
      compared().differences,
      ElementsAre(JsonDifference{"environment.A", "set", ""}, JsonDifference{"environment.C", "", "set"},
                  JsonDifference{"environment.OMP_NUM_THREADS", "1", "2"},
                  JsonDifference{"environment.PATH", "", "\"/a b\""}, JsonDifference{"environment.TZ", "\"\"", ""},
                  JsonDifference{"environment.X", "", "\"set\""}));
  EXPECT_EQ(difference_sentence(compared().differences[2]), "environment.OMP_NUM_THREADS: 1 before, 2 now");
  EXPECT_THAT(compared().not_recorded, IsEmpty());
}

TEST_F(EnvironmentComparisonTest, WhatAnOlderVersionDidNotRecordIsNoDifference) {
  before_.spec.metadata.text =
      R"({"machine": {"kernel": "6.1"}, "environment": {"names": ["OMP_NUM_THREADS"], "values": {}}})";
  after_.spec.metadata.text = R"({"machine": {"kernel": "6.1", "cpu_features": ["avx2"]}, "libraries": {},
      "environment": {"names": ["OMP_NUM_THREADS"], "values": {"OMP_NUM_THREADS": "2"}}})";
  for (int way = 0; way < 2; ++way) {
    EXPECT_THAT(compared().differences, IsEmpty());
    EXPECT_THAT(compared().not_recorded,
                ElementsAre("the value of OMP_NUM_THREADS", "machine.cpu_features", "libraries"));
    std::swap(before_, after_);
  }
  // That it was not set is known.
  before_.spec.metadata.text = R"({"environment": {"names": [], "values": {}}})";
  EXPECT_THAT(compared().differences, Contains(JsonDifference{"environment.OMP_NUM_THREADS", "", "2"}));
}

TEST_F(EnvironmentComparisonTest, MachinesDifferByWhatTheyCan) {
  before_.spec.metadata.text = R"({"machine": {"kernel": "6.1", "cpu_features": ["avx", "avx2", "fma"]},
      "libraries": {"libblas.so.3": {"path": "/lib/libblas.so.3"}}})";
  after_.spec.metadata.text = R"({"machine": {"kernel": "6.8", "cpu_features": ["avx", "avx512f", "fma"]},
      "libraries": {"libblas.so.3": {"path": "/lib/openblas/libblas.so.3"}}})";
  EXPECT_THAT(compared().differences, ElementsAre(JsonDifference{"machine.cpu_features.avx2", "there", ""},
                                                  JsonDifference{"machine.cpu_features.avx512f", "", "there"},
                                                  JsonDifference{"machine.kernel", "\"6.1\"", "\"6.8\""},
                                                  JsonDifference{"libraries.libblas.so.3.path", "\"/lib/libblas.so.3\"",
                                                                 "\"/lib/openblas/libblas.so.3\""}));
}

TEST_F(EnvironmentComparisonTest, WhatNobodyRecordsIsNamed) {
  variables(R"({"names": ["HOME", "OMP_NUM_THREADS"], "values": {"OMP_NUM_THREADS": "1"}})",
            R"({"names": ["EDITOR", "HOME"], "values": {}})");
  EXPECT_THAT(never_recorded(before_.spec, after_.spec),
              AllOf(Contains("values of variables, of which the names are: EDITOR, HOME"),
                    Contains(HasSubstr("network")), Contains(HasSubstr("~/.cache")), Each(Not(HasSubstr("GPU")))));
  after_.spec.metadata.text = R"({"machine": {"gpus": ["NVIDIA H100"]}})";
  after_.spec.snapshot.environment.image = "debian:12";
  EXPECT_THAT(never_recorded(before_.spec, after_.spec),
              AllOf(Contains(HasSubstr("GPU")), Each(Not(HasSubstr("~/.cache")))));
}

TEST_F(EnvironmentComparisonTest, PackagesAreComparedOneByOne) {
  auto metadata = [](const Digest& inventory) {
    return R"({"python": {"version": "3.11.2", "inventory": ")" + inventory.hex() + R"("}})";
  };
  const Digest old = store_.put(R"({"packages":{"numpy":"1.24","old":"1"},"prefix":"/usr","version":"3.11.2"})");
  const Digest young = store_.put(
      R"({"libraries":{"numpy.libs/libopenblas.so":3},"packages":{"new":"2","numpy":"1.26"},"prefix":"/usr","version":"3.12.0"})");
  before_.spec.metadata.text = metadata(old);
  after_.spec.metadata.text = metadata(young);
  const auto differences = compared().differences;
  EXPECT_THAT(differences, ElementsAre(JsonDifference{"python.packages.numpy", "\"1.24\"", "\"1.26\""},
                                       JsonDifference{"python.packages.old", "\"1\"", ""},
                                       JsonDifference{"python.packages.new", "", "\"2\""}));
  EXPECT_EQ(difference_sentence(differences[0]), R"(python.packages.numpy: "1.24" before, "1.26" now)");
  EXPECT_THAT(compared().not_recorded, ElementsAre("python.libraries"));
  // One that is gone.
  const Digest gone = digest_of("collected");
  after_.spec.metadata.text = metadata(gone);
  EXPECT_THAT(compared().differences,
              ElementsAre(JsonDifference{"python.inventory", "\"" + old.hex() + "\"", "\"" + gone.hex() + "\""}));
}

}  // namespace
}  // namespace plz
