#include "environment/fake/fake_environments.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

const Say kSilent = [](std::string_view) {};

TEST(FakeEnvironments, TheSameRecipeHasTheSameImage) {
  FakeEnvironments environments;
  EnvironmentRequest debian{.recipe = {.image = "debian"}};
  EnvironmentRequest extended{.recipe = {.image = "debian", .image_extensions = {"RUN true"}}};
  auto id = [&](const EnvironmentRequest& request) { return environments.ensure(request, kSilent, {})->image.id; };
  EXPECT_EQ(id(debian), id(debian));
  EXPECT_NE(id(debian), id(extended));
  EnvironmentRequest pinned{.recipe = {.image = "debian", .pinned = ImageIdentity{.id = "sha256:then"}}};
  EXPECT_EQ(id(pinned), "sha256:then");
  EXPECT_EQ(environments.requests().size(), 5u);
}

TEST(FakeEnvironments, TheScriptDecides) {
  FakeEnvironments environments([](const EnvironmentRequest&, const Say& say) -> Result<ReadyEnvironment> {
    say("Step 1");
    return fail(ErrorCode::invalid, "no");
  });
  std::string said;
  auto failed = environments.ensure({}, [&](std::string_view line) { said += line; }, {});
  EXPECT_FALSE(failed);
  EXPECT_EQ(said, "Step 1");
}

TEST(FakeEnvironments, WhatIsKeptCanBeRemovedUnlessItIsInUse) {
  FakeEnvironments environments;
  environments.keep({.image_id = "sha256:1"});
  environments.keep({.image_id = "sha256:2", .in_use = true});
  EXPECT_TRUE(environments.remove("sha256:1"));
  EXPECT_EQ(environments.remove("sha256:2").error().code, ErrorCode::conflict);
  EXPECT_EQ(environments.remove("sha256:3").error().code, ErrorCode::not_found);
  EXPECT_EQ(environments.list()->size(), 1u);
}

}  // namespace
}  // namespace plz
