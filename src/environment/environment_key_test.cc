#include "environment/environment_key.h"

#include <gtest/gtest.h>

#include <set>

#include "store/hasher.h"

namespace plz {
namespace {

TEST(EnvironmentKey, ChangesWithEachIngredient) {
  const EnvironmentIngredients plain{.dockerfile = "FROM a", .bases = {{"a", "sha256:1"}}};
  std::set<std::string> keys{environment_key(plain)};
  auto expect_new = [&](auto change) {
    EnvironmentIngredients other = plain;
    change(other);
    EXPECT_TRUE(keys.insert(environment_key(other)).second);
  };
  expect_new([](auto& i) { i.dockerfile += "\n"; });
  expect_new([](auto& i) { i.bases["a"] = "sha256:2"; });
  expect_new([](auto& i) { i.bases["b"] = "sha256:2"; });
  expect_new([](auto& i) { i.bases.clear(); });
  expect_new([](auto& i) { i.platform = "linux/arm64"; });
  expect_new([](auto& i) { i.context = digest_of("x"); });
  expect_new([](auto& i) { i.texts["a"] = "sha256:1"; });
  EXPECT_EQ(environment_key(plain), environment_key(plain));
}

// Every environment there is would be built anew.
TEST(EnvironmentKey, StaysWhatItIs) {
  EXPECT_EQ(environment_key({.dockerfile = "FROM a\n", .bases = {{"a", "sha256:1"}}, .platform = "linux/amd64"}),
            "65e0ca8657a478b05f8d3a29dff31a6c");
}

}  // namespace
}  // namespace plz
