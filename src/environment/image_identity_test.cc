#include "environment/image_identity.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

const std::string kA = "@sha256:" + std::string(64, 'a'), kB = "@sha256:" + std::string(64, 'b');

TEST(ImageIdentity, PrefersTheRepositoryThatWasAsked) {
  ImageDetails image{.id = "sha256:1", .digests = {"host:5000/team/plz" + kA, "debian" + kB}};
  EXPECT_EQ(identity_of(image, "debian:12").digest, "debian" + kB);
  EXPECT_EQ(identity_of(image, "docker.io/library/debian").digest, "debian" + kB);
  EXPECT_EQ(identity_of(image, "host:5000/team/plz:key").digest, "host:5000/team/plz" + kA);
  EXPECT_EQ(identity_of(image, "other").digest, "host:5000/team/plz" + kA);
  EXPECT_EQ(digest_in(image, "other"), "");
  EXPECT_EQ(identity_of({.id = "sha256:1"}, "debian").digest, "");
  EXPECT_EQ(identity_of(image, "debian").id, "sha256:1");
}

TEST(ImagePlatform, IsComparedAsFarAsTheEngineSaysIt) {
  ImageDetails image{.architecture = "arm", .os = "linux"};
  for (const char* same : {"", "linux/arm", "linux/arm/v7", "arm"}) EXPECT_TRUE(is_for_platform(image, same)) << same;
  for (const char* other : {"linux/amd64", "windows/arm", "amd64"})
    EXPECT_FALSE(is_for_platform(image, other)) << other;
}

}  // namespace
}  // namespace plz
