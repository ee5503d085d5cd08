// The recipes that come with plz, with Debian's real packages. Minutes, and the machine's package sources: only where
// PLZ_TEST_BUILT_IN asks for it ("python", "pytorch", or both).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "environment/docker/engine_fixture_test.h"

namespace plz {
namespace {

using testing_environment::EngineTest;

class BuiltInEnvironmentsTest : public EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const char* asked = getenv("PLZ_TEST_BUILT_IN");
    asked_ = asked ? asked : "";
    if (asked_.empty())
      GTEST_SKIP() << "SKIPPED: PLZ_TEST_BUILT_IN=python,pytorch builds the images that come with plz";
    if (!*engine().inspect_image(kDebian))
      GTEST_SKIP() << "SKIPPED: there is no image " << kDebian << ": `scripts/make-base-image debian` makes it";
    debian_ = worker({.build_network = "host", .base_image = kDebian});
    for (const auto& kept : listed()) before_.push_back(kept.image_id);
  }
  void TearDown() override {
    EngineTest::TearDown();
    for (int round = 0; round < 3 && debian_; ++round)
      for (const auto& kept : listed())
        if (std::find(before_.begin(), before_.end(), kept.image_id) == before_.end() && was_made(kept.image_id))
          static_cast<void>(debian_->remove(kept.image_id));
  }
  std::vector<KeptEnvironment> listed() { return *debian_->list(); }
  bool was_made(const std::string& id) const { return std::find(made_.begin(), made_.end(), id) != made_.end(); }

  std::string make(const std::string& image, std::vector<std::string> extensions = {}) {
    std::string id = ensured(request({.image = image, .image_extensions = std::move(extensions)}), debian_.get()).id;
    made_.push_back(id);
    return id;
  }
  bool asked_for(const std::string& word) const { return asked_.find(word) != std::string::npos; }

  static constexpr const char* kDebian = "plz-test/debian";
  std::string asked_;
  std::unique_ptr<DockerEnvironments> debian_;
  std::vector<std::string> before_, made_;
};

TEST_F(BuiltInEnvironmentsTest, PlainPythonAndWhatTheCodeRequires) {
  if (!asked_for("python")) GTEST_SKIP();
  std::string plain = make("plz/python", {});
  EXPECT_EQ(make("plz/python"), plain);
  code_.write("requirements.txt", "pip>=1\n");
  code_.write("train.py", "1");
  std::string required = make("plz/python");
  EXPECT_NE(required, plain);
  EXPECT_TRUE(said_.has("Requirement already satisfied: pip")) << said_.all();
  code_.write("train.py", "2");
  EXPECT_EQ(make("plz/python"), required);
  std::string extended =
      make("plz/python", {mark(), "RUN python3 -c 'import sys; assert sys.prefix == \"/opt/plz/venv\"'"});
  EXPECT_NE(extended, required);
  EXPECT_TRUE(remove_tree(code_.path() + "/requirements.txt"));
  code_.write("environment.yml", "dependencies:\n  - python=3\n  - pip:\n      - setuptools\n");
  EXPECT_NE(make("plz/python"), required);
  EXPECT_TRUE(said_.has("Requirement already satisfied: setuptools")) << said_.all();
}

TEST_F(BuiltInEnvironmentsTest, PyTorch) {
  if (!asked_for("pytorch")) GTEST_SKIP();
  make("plz/pytorch");
  make("plz/pytorch", {mark(), "RUN python3 -c 'import torch; print(\"torch\", torch.ones(2).sum().item())'"});
  EXPECT_TRUE(said_.has("torch 2.0")) << said_.all();
}

}  // namespace
}  // namespace plz
