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

std::vector<std::string> evicted(std::vector<ShelvedEnvironment> shelved, uint64_t limit) {
  std::vector<std::string> ids;
  for (const auto& e : choose_evicted(std::move(shelved), limit, kNow, kHour)) ids.push_back(e.kept.image_id);
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

TEST(ShelvedEnvironment, IsWhatOnlyPlzHasNamed) {
  const Labels label{{"plz.environment", "k1"}, {"plz.environment.base_bytes", "70"}};
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

}  // namespace
}  // namespace plz
