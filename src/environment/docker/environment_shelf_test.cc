#include "environment/docker/environment_shelf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plz {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto kHour = std::chrono::hours(1);
const Timestamp kNow(std::chrono::hours(1000));

ShelvedEnvironment environment(const std::string& id, uint64_t bytes, int hours_ago, bool in_use = false) {
  return {.kept = {.image_id = id, .bytes = bytes, .in_use = in_use}, .used = kNow - std::chrono::hours(hours_ago)};
}

std::vector<std::string> evicted(std::vector<ShelvedEnvironment> shelved, uint64_t limit,
                                 const std::vector<ImageSummary>& all = {}) {
  std::vector<std::string> ids;
  for (const auto& e : choose_evicted(std::move(shelved), ImageForest(all, {}), limit, kNow, kHour))
    ids.push_back(e.kept.image_id);
  return ids;
}

TEST(ChooseEvicted, TheLeastRecentlyUsedUntilTheRestFits) {
  std::vector<ShelvedEnvironment> shelved{environment("new", 10, 2), environment("old", 10, 20),
                                          environment("older", 10, 30)};
  EXPECT_THAT(evicted(shelved, 30), IsEmpty());
  EXPECT_THAT(evicted(shelved, 29), ElementsAre("older"));
  EXPECT_THAT(evicted(shelved, 15), ElementsAre("older", "old"));
  EXPECT_THAT(evicted(shelved, 0), ElementsAre("older", "old", "new"));
}

TEST(ChooseEvicted, NeverWhatIsOrWasJustInUse) {
  std::vector<ShelvedEnvironment> shelved{environment("used", 10, 50, true), environment("fresh", 10, 0),
                                          environment("tomorrow", 10, -24), environment("old", 10, 20)};
  EXPECT_THAT(evicted(shelved, 0), ElementsAre("old", "tomorrow"));
}

TEST(ChooseEvicted, NeverWhatAnotherThatStaysStandsOn) {
  const std::vector<ImageSummary> all{{.id = "low", .tags = {"a"}}, {.id = "high", .parent = "low", .tags = {"b"}}};
  EXPECT_THAT(evicted({environment("low", 10, 30), environment("high", 10, 0)}, 0, all), IsEmpty());
  EXPECT_THAT(evicted({environment("low", 10, 30), environment("high", 10, 20)}, 0, all), ElementsAre("high", "low"));
}

class ChooseUnneeded : public testing::Test {
 protected:
  // "low" is built upon "base" in two steps, and "high" upon "low"; each adds 10.
  const std::vector<ImageSummary> all_{{.id = "base", .tags = {"debian:12"}, .bytes = 100},
                                       {.id = "step", .parent = "base", .bytes = 104},
                                       {.id = "low", .parent = "step", .tags = {"l"}, .bytes = 110},
                                       {.id = "high", .parent = "low", .tags = {"h"}, .bytes = 120}};
  static ShelvedEnvironment held(const std::string& id) {
    ShelvedEnvironment held = environment(id, 1, 1);
    held.hold = "plz/environment:for-us-" + id;
    return held;
  }
  static std::vector<std::pair<std::string, uint64_t>> unneeded(std::vector<ShelvedEnvironment> shelved,
                                                                const std::vector<ImageSummary>& all,
                                                                const std::vector<std::string>& needed = {}) {
    std::vector<std::pair<std::string, uint64_t>> found;
    for (const auto& kept : choose_unneeded(std::move(shelved), ImageForest(all, {}), needed))
      found.emplace_back(kept.image_id + (kept.goes ? "" : " stays"), kept.bytes);
    return found;
  }
};

TEST_F(ChooseUnneeded, IsWhatNothingThatStaysStandsOn) {
  EXPECT_THAT(unneeded({held("low"), held("high")}, all_), ElementsAre(std::pair("high", 10u), std::pair("low", 10u)));
  EXPECT_THAT(unneeded({held("low"), held("high")}, all_, {"low"}), ElementsAre(std::pair("high", 10u)));
  EXPECT_THAT(unneeded({held("low"), held("high")}, all_, {"high"}), IsEmpty());
  ShelvedEnvironment used = held("high");
  used.kept.in_use = true;
  EXPECT_THAT(unneeded({held("low"), used}, all_), IsEmpty());
}

TEST_F(ChooseUnneeded, CountsWhatStepsThatAreSharedKeep) {
  auto all = all_;
  all.push_back({.id = "other", .parent = "step", .tags = {"o"}, .bytes = 107});
  EXPECT_THAT(unneeded({held("low"), held("high"), held("other")}, all, {"other"}),
              ElementsAre(std::pair("high", 10u), std::pair("low", 6u)));
}

TEST_F(ChooseUnneeded, LeavesToOthersWhatIsTheirs) {
  ShelvedEnvironment shared = held("high"), earlier = held("high"), foreign = environment("high", 1, 1);
  shared.is_of_others = foreign.is_of_others = earlier.is_of_earlier_plz = true;
  for (const ShelvedEnvironment& each : {shared, earlier})
    EXPECT_THAT(unneeded({held("low"), each}, all_), ElementsAre(std::pair("high stays", 0u)));
  EXPECT_THAT(unneeded({held("low"), foreign}, all_), IsEmpty());
}

TEST_F(ChooseUnneeded, WhatWasPulledStandsOnWhatItSharesLayersWith) {
  ImageForest forest({{.id = "low", .tags = {"l"}, .bytes = 110}, {.id = "high", .tags = {"h"}, .bytes = 120}}, {});
  forest.stand_upon("high", "low");
  EXPECT_TRUE(forest.is_stood_upon("low"));
  EXPECT_EQ(forest.remove("high", 0), 10u);
  EXPECT_FALSE(forest.is_stood_upon("low"));
  EXPECT_EQ(forest.remove("low", 70), 40u);
}

TEST(ShelvedEnvironment, IsWhatOnlyPlzHasNamed) {
  const Labels label{{"plz.environment", "k1"}, {"plz.environment.base_bytes", "70"}};
  auto shelved_environment = [](const ImageSummary& image) { return plz::shelved_environment(image, "us"); };
  auto named = shelved_environment(
      {.id = "i", .tags = {"plz/environment:k1", "host:5000/team/plz:k1"}, .labels = label, .bytes = 100});
  ASSERT_TRUE(named);
  EXPECT_EQ(named->kept.name, "plz/environment:k1");
  EXPECT_EQ(named->kept.bytes, 30u);
  EXPECT_THAT(named->names, ElementsAre("host:5000/team/plz:k1", "plz/environment:k1"));
  auto pulled = shelved_environment({.id = "i", .tags = {"<none>:<none>"}, .labels = label});
  ASSERT_TRUE(pulled);
  EXPECT_EQ(pulled->kept.name, "plz/environment:k1");
  EXPECT_THAT(pulled->names, IsEmpty());
  EXPECT_TRUE(shelved_environment({.id = "i", .tags = {"plz/environment:k1-stage-1"}})) << "a stage of a build";
  EXPECT_FALSE(shelved_environment({.id = "i", .tags = {"plz/environment:k1", "mine:1"}, .labels = label}));
  EXPECT_FALSE(shelved_environment({.id = "i", .tags = {"built-upon:latest"}, .labels = label}));
  EXPECT_FALSE(shelved_environment({.id = "i", .tags = {"debian:12"}}));
  EXPECT_FALSE(shelved_environment({.id = "i"}));
}

TEST(ShelvedEnvironment, TellsWhoNeedsIt) {
  const Labels label{{"plz.environment", "k1"}, {"plz.environment.held", "1"}};
  auto shelved = [&](std::vector<std::string> tags, std::vector<std::string> digests = {}, Labels labels = {}) {
    return shelved_environment({.id = "i", .tags = std::move(tags), .digests = std::move(digests), .labels = labels},
                               "us");
  };
  auto ours = shelved({"plz/environment:for-us-i", "plz/environment:k1"}, {}, label);
  ASSERT_TRUE(ours);
  EXPECT_EQ(ours->hold, "plz/environment:for-us-i");
  EXPECT_EQ(ours->kept.name, "plz/environment:k1");
  EXPECT_THAT(ours->names, ElementsAre("plz/environment:k1"));
  EXPECT_FALSE(ours->is_of_others);
  EXPECT_FALSE(ours->is_of_earlier_plz);
  auto theirs = shelved({"plz/environment:for-them-i", "plz/environment:k1"}, {}, {{"plz.environment", "k1"}});
  ASSERT_TRUE(theirs);
  EXPECT_EQ(theirs->hold, "");
  EXPECT_TRUE(theirs->is_of_others);
  EXPECT_TRUE(theirs->is_of_earlier_plz);
  auto pulled = shelved({"plz/environment:for-us-i"}, {"debian@sha256:1"});
  ASSERT_TRUE(pulled);
  EXPECT_EQ(pulled->kept.name, "debian@sha256:1");
  EXPECT_FALSE(pulled->is_of_earlier_plz);
  EXPECT_FALSE(shelved({"plz/environment:for-us-i", "debian:12"}));
  EXPECT_FALSE(shelved({}, {"debian@sha256:1"}));
}

}  // namespace
}  // namespace plz
