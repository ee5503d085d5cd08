#include "worker/collection.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "worker/fake_controller.h"

namespace plz {
namespace {

AttemptId attempt_id(int number) {
  return *AttemptId::parse("019aab9e-3c6f-7d52-9d0f-0000000000" + std::to_string(10 + number));
}

class FakeEnvironments final : public Environments {
 public:
  Result<ReadyEnvironment> ensure(const EnvironmentRequest&, const std::function<void(std::string_view)>&,
                                  std::stop_token) override {
    return fail(ErrorCode::internal, "not of this test");
  }
  Result<std::vector<KeptEnvironment>> list() override {
    if (error) return fail(*error);
    return images;
  }
  Result<void> need(const std::vector<std::string>& ids) override {
    needed = ids;
    return {};
  }
  Result<std::vector<KeptEnvironment>> unneeded(const std::vector<std::string>& ids) override {
    PLZ_ASSIGN(auto unneeded, list());
    std::erase_if(unneeded, [&](const KeptEnvironment& image) {
      return image.in_use || std::find(ids.begin(), ids.end(), image.image_id) != ids.end();
    });
    if (when_chosen) when_chosen();
    return unneeded;
  }
  Result<bool> remove(const std::string& image_id) override {
    given_up.push_back(image_id);
    return std::erase_if(images, [&](const auto& image) { return image.image_id == image_id && image.goes; }) > 0;
  }
  Result<void> evict() override { return {}; }

  std::vector<KeptEnvironment> images;
  std::vector<std::string> needed, given_up;
  std::function<void()> when_chosen;
  std::optional<Error> error;
};

class FakeKeeper final : public ContainerKeeper {
 public:
  Result<std::vector<KeptContainer>> containers() override { return kept; }
  Result<void> remove_container(const std::string& id) override {
    if (id == "stuck") return fail(ErrorCode::unavailable, "device busy");
    std::erase_if(kept, [&](const auto& container) { return container.id == id; });
    return {};
  }

  std::vector<KeptContainer> kept;
};

class CollectionTest : public testing::Test {
 protected:
  CollectionTest() {
    environments_.images = {{"sha256:old", "plz/environment:old", 100, false},
                            {"sha256:kept", "plz/environment:kept", 10, false},
                            {"sha256:used", "plz/environment:used", 1, true}};
    keeper_.kept = {{"c1", "plz-1", attempt_id(1), 5}, {"c2", "plz-2", attempt_id(2), 7}};
  }

  WorkerCollection collect(bool dry_run, std::vector<std::string> keep = {"sha256:kept"}) {
    CollectionSources sources{trees_,   gate_,         uses_,
                              engines_, kept_outputs_, [](AttemptId id) { return id == attempt_id(1); }};
    return collect_here({"r", dry_run, true, false, std::move(keep), clock_.now()}, sources);
  }

  TemporaryDirectory directory_{testing_worker::in_memory()};
  TreeCache trees_{directory_.path(), 1 << 20, "boot"};
  ImageGate gate_;
  FakeClock clock_;
  ImageUses uses_{clock_};
  FakeEnvironments environments_;
  FakeKeeper keeper_;
  KeptOutputs kept_outputs_{directory_.path("kept")};
  std::vector<ContainerEngine> engines_{{"unix:/one", "", nullptr, &environments_, &keeper_}};
};

TEST_F(CollectionTest, RemovesWhatNobodyNeedsAsTheDryRunSaid) {
  const WorkerCollection foreseen = collect(true);
  EXPECT_EQ(environments_.images.size(), 3u);
  EXPECT_EQ(keeper_.kept.size(), 2u);
  const WorkerCollection done = collect(false);
  EXPECT_EQ(done.images, (std::vector<CollectedObject>{{"sha256:old", "plz/environment:old", 100}}));
  EXPECT_EQ(done.containers, (std::vector<CollectedObject>{{"c2", "plz-2", 7}}));
  EXPECT_EQ(done.error, "");
  EXPECT_EQ(foreseen.images, done.images);
  EXPECT_EQ(foreseen.containers, done.containers);
  EXPECT_EQ(environments_.images.size(), 2u);
  EXPECT_EQ(keeper_.kept.size(), 1u);
}

TEST_F(CollectionTest, WhatOthersNeedIsGivenUpAndNotTold) {
  environments_.images.push_back({"sha256:shared", "plz/environment:shared", 1000, false, false});
  EXPECT_EQ(collect(true).images.size(), 1u);
  EXPECT_TRUE(environments_.given_up.empty());
  EXPECT_TRUE(environments_.needed.empty());
  EXPECT_EQ(collect(false).images.size(), 1u);
  EXPECT_EQ(environments_.given_up, (std::vector<std::string>{"sha256:old", "sha256:shared"}));
  EXPECT_EQ(environments_.needed, std::vector<std::string>{"sha256:kept"});
}

TEST_F(CollectionTest, WhatTheControllerMayNotYetKnowOfStays) {
  {
    const auto use = uses_.begin("sha256:old"), other = uses_.begin("sha256:another");
    clock_.advance(std::chrono::seconds(1));
    EXPECT_TRUE(collect(true).images.empty());
    EXPECT_TRUE(collect(false).images.empty());
  }
  EXPECT_TRUE(collect(false).images.empty()) << "it has ended since the controller looked";
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(collect(true).images.size(), 1u);
  // While what is unneeded is chosen, a job comes.
  std::optional<ImageUses::Use> use;
  environments_.when_chosen = [&] { use = uses_.begin("sha256:old"); };
  EXPECT_TRUE(collect(false).images.empty());
  EXPECT_TRUE(environments_.given_up.empty());
  use.reset();
  clock_.advance(std::chrono::seconds(1));
  environments_.when_chosen = nullptr;
  EXPECT_EQ(collect(false).images.size(), 1u);
}

TEST_F(CollectionTest, LooksAtEveryEngineAndNamesThem) {
  FakeEnvironments others;
  others.images = {{"sha256:other", "plz/environment:other", 3, false}};
  FakeKeeper other_keeper;
  other_keeper.kept = {{"stuck", "plz-9", attempt_id(9), 1}};
  engines_.push_back({"unix:/another", "", nullptr, &others, &other_keeper});
  engines_.push_back({"", "", nullptr, nullptr, nullptr});
  const WorkerCollection done = collect(false);
  EXPECT_EQ(done.engines, (std::vector<std::string>{"unix:/one", "unix:/another"}));
  EXPECT_EQ(done.images.size(), 2u);
  EXPECT_EQ(done.containers.size(), 1u);
  EXPECT_EQ(done.error, "plz-9 (unix:/another): device busy");
}

TEST_F(CollectionTest, OutputThatWasKeptGoesWithItsExecution) {
  for (int i : {1, 2, 3, 4, 5})
    directory_.write("kept/" + attempt_id(i).to_string() + "/file", std::string(static_cast<size_t>(i), 'x'));
  const auto collect_outputs = [&](bool dry_run, std::vector<AttemptId> dropped) {
    CollectionOrder order{"r", dry_run};
    order.drop_outputs = std::move(dropped);
    if (order.drop_outputs.empty()) order.outputs_until = attempt_id(4), order.keep_outputs = {attempt_id(2)};
    return collect_here(order,
                        {trees_, gate_, uses_, {}, kept_outputs_, [](AttemptId id) { return id == attempt_id(1); }});
  };
  // The first is in hand, the second has an execution, the fourth and the fifth may be too new to be known.
  for (bool dry_run : {true, false}) {
    const WorkerCollection done = collect_outputs(dry_run, {});
    EXPECT_EQ(done.outputs, 1u);
    EXPECT_EQ(done.output_bytes, 3u);
    EXPECT_EQ(done.kept_outputs, 4u);
    EXPECT_EQ(done.kept_output_bytes, 12u);
  }
  EXPECT_FALSE(kept_outputs_.has(attempt_id(3)));
  EXPECT_EQ(collect_outputs(false, {attempt_id(5)}).outputs, 1u);
  EXPECT_EQ(kept_outputs_.list().size(), 3u);
}

TEST_F(CollectionTest, OneFailureStopsNothingElse) {
  keeper_.kept.insert(keeper_.kept.begin(), {"stuck", "plz-0", attempt_id(3), 0});
  const WorkerCollection done = collect(false);
  EXPECT_EQ(done.error, "plz-0: device busy");
  EXPECT_EQ(done.containers.size(), 1u);
  EXPECT_EQ(done.images.size(), 1u);
  environments_.error = Error{ErrorCode::unavailable, "no engine", {}};
  EXPECT_EQ(collect(false).error, "images: no engine; plz-0: device busy");
  EXPECT_EQ(collect(false, {}).error, "plz-0: device busy");
}

TEST_F(CollectionTest, ImagesStayWhileAnEnvironmentIsPrepared) {
  {
    ImageGate::Pass pass = gate_.enter();
    const WorkerCollection done = collect(false);
    EXPECT_TRUE(done.images.empty());
    EXPECT_NE(done.error.find("being prepared"), std::string::npos);
    EXPECT_EQ(environments_.images.size(), 3u);
  }
  EXPECT_EQ(collect(false).images.size(), 1u);
}

}  // namespace
}  // namespace plz
