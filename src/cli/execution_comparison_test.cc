#include "cli/execution_comparison.h"

#include <gmock/gmock.h>

#include "cli/scripted_session_test.h"
#include "store/hasher.h"
#include "store/memory/memory_blob_channel.h"

namespace plz {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ExecutionComparisonTest : public testing::Test {
 protected:
  ExecutionComparisonTest() {
    for (Execution* execution : {&before_, &after_}) {
      execution->id = ExecutionId::make(clock_);
      execution->spec.command = {"python3", "train.py"};
      execution->spec.snapshot.code_tree = tree("code");
      execution->spec.metadata.text =
          R"({"machine": {"kernel": "6.1"}, "environment": {"names": ["A", "B"], "values": {}}})";
      execution->outcome = Outcome{OutcomeKind::succeeded, 0, {}, false, {}};
      execution->output_tree = tree("weights");
      measures(*execution, R"({"loss": 0.5})");
    }
  }

  Digest tree(const std::string& content) {
    TreeEntry file;
    file.name = "file";
    file.bytes = content.size();
    file.digest = store_.put(content);
    return store_.put(encode_tree(Tree{{file}}));
  }

  void measures(const Execution& execution, const std::string& json) {
    scripted_.answer("GET /v1/executions/" + execution.id.to_string() + "/measures", json);
  }

  CauseDifferences causes() { return *compare_causes(before_, after_, store_); }
  ResultDifferences results() { return *compare_results(*scripted_.session, before_, after_, store_); }

  SystemClock clock_;
  ScriptedSession scripted_;
  MemoryBlobChannel store_;
  Execution before_, after_;
};

TEST_F(ExecutionComparisonTest, WhatIsEqualDiffersInNothing) {
  EXPECT_TRUE(causes().empty());
  EXPECT_TRUE(results().empty());
}

TEST_F(ExecutionComparisonTest, EachCauseIsFound) {
  after_.spec.command = {"python3", "other.py"};
  after_.spec.parameters.text = R"({"lr": 1})";
  after_.spec.snapshot.code_tree = tree("other code");
  after_.spec.input = Input{tree("data"), "file:///data", 4};
  EXPECT_THAT(causes().command, ElementsAre(JsonDifference{"[1]", "\"train.py\"", "\"other.py\""}));
  EXPECT_THAT(causes().parameters, ElementsAre(JsonDifference{"lr", "", "1"}));
  EXPECT_EQ(causes().code.size(), 1u);
  EXPECT_EQ(causes().input.size(), 1u);
  EXPECT_THAT(causes().environment, IsEmpty());
}

TEST_F(ExecutionComparisonTest, AnotherImageIsACause) {
  before_.spec.snapshot.environment.image = after_.spec.snapshot.environment.image = "debian:12";
  after_.spec.snapshot.environment.pinned = before_.image = ImageIdentity{"sha256:1", ""};
  EXPECT_THAT(causes().environment, IsEmpty());
  after_.image = ImageIdentity{"sha256:1", "debian@sha256:2"};
  EXPECT_THAT(causes().environment, IsEmpty());
  after_.image->id = "sha256:3";
  after_.spec.snapshot.environment.image_extensions = {"RUN true"};
  EXPECT_THAT(causes().environment, ElementsAre(JsonDifference{"recipe.image_extensions", "", R"(["RUN true"])"},
                                                JsonDifference{"image", R"("sha256:1")", R"("sha256:3")"}));
}

TEST_F(ExecutionComparisonTest, EachResultIsFound) {
  after_.outcome = Outcome{OutcomeKind::exited, 3, {}, false, {}};
  after_.output_tree.reset();
  measures(after_, R"({"loss": 0.25})");
  EXPECT_EQ(results().outcome.size(), 2u);
  EXPECT_EQ(results().output.size(), 1u);
  EXPECT_THAT(results().measures, ElementsAre(JsonDifference{"loss", "0.5", "0.25"}));
}

}  // namespace
}  // namespace plz
