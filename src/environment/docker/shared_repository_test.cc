// Pushes, pulls and logins, with Debian's docker-registry.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "environment/docker/engine_fixture_test.h"

namespace plz {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using testing_environment::kBase;
using testing_environment::RegistryTest;

class SharedRepositoryTest : public RegistryTest {
 protected:
  std::string repository() const { return server() + "/team/plz"; }
  EnvironmentRequest wanted() const {
    EnvironmentRequest request = extended({"RUN head -c 8 /dev/urandom > /random"});
    request.repository = repository();
    return request;
  }
};

TEST_F(SharedRepositoryTest, WhatOneWorkerBuildsAnotherPulls) {
  auto first = worker();
  ImageIdentity built = ensured(wanted(), first.get());
  EXPECT_THAT(built.digest, StartsWith(repository() + "@sha256:"));
  EXPECT_TRUE(said_.has("It is not there yet")) << said_.all();
  said_.clear();
  EXPECT_EQ(ensured(wanted(), first.get()), built);
  EXPECT_EQ(said_.all(), "");
  forget(built.id);
  auto second = worker();
  EXPECT_EQ(ensured(wanted(), second.get()), built);
  EXPECT_FALSE(said_.has("Building")) << said_.all();
  EXPECT_TRUE(second->remove(built.id));
  EXPECT_FALSE(*engine().inspect_image(built.id));
}

TEST_F(SharedRepositoryTest, ARecordedImageIsPulledByItsDigest) {
  auto sharer = worker();
  auto request = wanted();
  ImageIdentity built = ensured(request, sharer.get());
  forget(built.id);
  request.recipe.pinned = built;
  request.recipe.image_extensions = {"RUN exit 1"};
  auto ready = environments().ensure(request, said_.say(), {});
  ASSERT_TRUE(ready) << ready.error().message;
  EXPECT_EQ(ready->image, built);
  EXPECT_FALSE(ready->rebuilt);
  EXPECT_TRUE(environments().remove(built.id)) << "it is an environment of plz, though it has no name here";
  EXPECT_FALSE(*engine().inspect_image(built.id));
}

TEST_F(SharedRepositoryTest, ABaseOfThenIsPulledByItsDigest) {
  auto push = [&](const std::string& line) {
    const std::string id = ensured(extended({line})).id;
    tag(id, server() + "/base");
    EXPECT_TRUE(engine().push_image(server() + "/base", token(), ada(), [](const auto&) {}, {}));
    return id;
  };
  const std::string then = push("ENV IT=then");
  auto wanted = extended({"RUN head -c 8 /dev/urandom > /random"}, server() + "/base:" + token());
  wanted.recipe.pinned = ensured(wanted);
  EXPECT_THAT(wanted.recipe.pinned->base_digest, StartsWith(server() + "/base@sha256:"));
  push("ENV IT=now");
  forget(wanted.recipe.pinned->id);
  forget(then);
  ImageIdentity again = ensured(wanted);
  EXPECT_EQ(again.base_id, then);
  EXPECT_EQ(again.base_digest, wanted.recipe.pinned->base_digest);
  EXPECT_THAT((*engine().inspect_image(again.id))->environment, testing::Contains("IT=then"));
}

TEST_F(SharedRepositoryTest, TheEngineHasTheLoginWhereItPullsABaseItself) {
  const std::string id = ensured(extended({"RUN true"})).id;
  const std::string name = tag(id, server() + "/base");
  ASSERT_TRUE(engine().push_image(server() + "/base", token(), ada(), [](const auto&) {}, {}));
  // Whatever is removed after plz has looked.
  Say say = [&](std::string_view line) {
    said_.say()(line);
    if (line.find("Building the environment") != line.npos) forget(id);
  };
  auto ready = environments().ensure(dockerfile("FROM " + name + "\n" + mark() + "\nENV A=b\n"), say, {});
  ASSERT_TRUE(ready) << ready.error().message << said_.all();
}

TEST_F(SharedRepositoryTest, AnImageOfARegistryIsPulledAndRecorded) {
  const std::string name = tag(ensured(extended({"RUN true"})).id, server() + "/base");
  ASSERT_TRUE(engine().push_image(server() + "/base", token(), ada(), [](const auto&) {}, {}));
  forget((*engine().inspect_image(name))->id);
  ImageIdentity image = ensured(request({.image = name}));
  EXPECT_THAT(image.digest, StartsWith(server() + "/base@sha256:"));
  EXPECT_TRUE(said_.has("Pulling " + name)) << said_.all();
  Error error = refused(request({.image = server() + "/absent"}));
  EXPECT_EQ(error.code, ErrorCode::invalid) << error.message;
}

TEST_F(SharedRepositoryTest, AWrongPasswordIsSaidInWords) {
  login_.known[server()] = ada("wrong");
  Error error = refused(request({.image = server() + "/base"}));
  EXPECT_EQ(error.code, ErrorCode::invalid) << error.message;
  EXPECT_THAT(error.message, HasSubstr("auth")) << error.message;
  EXPECT_THAT(error.hint, HasSubstr("(ada) does not reach it: `docker login " + server() + "`"));
  EXPECT_FALSE(said_.has("tried again")) << said_.all();
  // The job need not wait for a registry: what is built stays here.
  auto sharer = worker();
  ImageIdentity built = ensured(wanted(), sharer.get());
  EXPECT_EQ(built.digest, "");
  EXPECT_TRUE(said_.has("** This environment stays on this engine alone")) << said_.all();
  EXPECT_TRUE(said_.has("`docker login " + server() + "`")) << said_.all();
  said_.clear();
  EXPECT_EQ(ensured(wanted(), sharer.get()), built);
  EXPECT_EQ(said_.all(), "") << "it is not tried again for each run";
  login_.known[server()] = ada();
  clock_.advance(std::chrono::minutes(11));
  EXPECT_THAT(ensured(wanted(), sharer.get()).digest, StartsWith(repository() + "@"));
}

TEST_F(SharedRepositoryTest, WhatBearsTheNameAndIsSomethingElseIsNotTaken) {
  auto sharer = worker();
  ImageIdentity built = ensured(wanted(), sharer.get());
  std::string name = (*engine().inspect_image(built.id))->tags[0];
  std::string key = name.substr(name.rfind(':') + 1);
  ImageIdentity other = ensured(extended({"RUN echo other"}));
  forget(built.id);
  ASSERT_TRUE(engine().tag_image(other.id, repository(), key));
  ASSERT_TRUE(engine().push_image(repository(), key, ada(), [](const auto&) {}, {}));
  ASSERT_TRUE(engine().remove_image(repository() + ":" + key, false));
  EXPECT_NE(ensured(wanted(), sharer.get()).id, other.id);
  EXPECT_TRUE(said_.has("is not what its name says")) << said_.all();
}

}  // namespace
}  // namespace plz
