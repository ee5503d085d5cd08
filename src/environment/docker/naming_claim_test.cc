#include "environment/docker/naming_claim.h"

#include <gtest/gtest.h>

#include <thread>

#include "environment/docker/engine_fixture_test.h"
#include "environment/docker/image_builder.h"

namespace plz {
namespace {

using testing_environment::EngineTest;
using testing_environment::kBase;

constexpr auto kLong = std::chrono::minutes(10);
constexpr auto kShort = std::chrono::milliseconds(200);

class NamingClaimTest : public EngineTest {
 protected:
  Result<NamingClaim> take(std::chrono::milliseconds patience, const std::stop_token& stop = {}) {
    return NamingClaim::take(engine(), token(), image(), patience, stop);
  }
  // Of this test alone: it may be the claims of an image that are removed.
  const std::string& image() {
    if (image_.empty()) image_ = ensured(extended({"RUN true"})).id;
    return image_;
  }
  bool is_there() { return engine().inspect_container("plz-naming-" + token())->has_value(); }

 private:
  std::string image_;
};

TEST_F(NamingClaimTest, IsHeldByOneAtATime) {
  std::stop_source stop;
  {
    auto claim = take(kLong);
    ASSERT_TRUE(claim) << claim.error().message;
    EXPECT_TRUE(is_there());
    std::jthread ender([&] {
      std::this_thread::sleep_for(kShort);
      stop.request_stop();
    });
    auto second = take(kLong, stop.get_token());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::cancelled);
    EXPECT_TRUE(is_there());
  }
  EXPECT_FALSE(is_there());
  EXPECT_TRUE(take(kLong));
}

TEST_F(NamingClaimTest, IsTakenFromWhoHasGone) {
  auto gone = take(kLong);
  ASSERT_TRUE(gone);
  EXPECT_TRUE(take(kShort));
  EXPECT_FALSE(is_there());
}

TEST_F(NamingClaimTest, OfAnImageThatIsNotThereFails) {
  auto claim = NamingClaim::take(engine(), token(), "sha256:" + std::string(64, '0'), kLong, {});
  ASSERT_FALSE(claim);
  EXPECT_EQ(claim.error().code, ErrorCode::not_found) << claim.error().message;
}

TEST_F(NamingClaimTest, LeftoversAreThoseOfTheImagesGiven) {
  auto claim = take(kLong);
  ASSERT_TRUE(claim);
  EXPECT_TRUE(NamingClaim::remove_leftovers(engine(), {std::string(12, '0')}));
  EXPECT_TRUE(is_there());
  EXPECT_TRUE(NamingClaim::remove_leftovers(engine(), {image().substr(std::string("sha256:").size(), 12)}));
  EXPECT_FALSE(is_there());
}

TEST_F(NamingClaimTest, ABuilderGoesOnWhereAnotherDied) {
  auto wanted = extended({"RUN true"});
  const std::string first = ensured(wanted).id;
  const std::string key = (*engine().inspect_image(first))->labels.at(kEnvironmentLabel);
  ASSERT_TRUE(environments().remove(first));
  auto dead = NamingClaim::take(engine(), key, kBase, kLong, {});
  ASSERT_TRUE(dead);
  auto builder = worker({.naming_patience = kShort});
  EXPECT_NE(ensured(wanted, builder.get()).id, "");
  EXPECT_FALSE(*engine().inspect_container("plz-naming-" + key));
}

}  // namespace
}  // namespace plz
