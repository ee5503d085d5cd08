#include "environment/docker/docker_environments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <set>
#include <thread>

#include "environment/build/build_context.h"
#include "environment/docker/engine_fixture_test.h"
#include "environment/last_use.h"

namespace plz {
namespace {

using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing_environment::EngineTest;
using testing_environment::kBase;
using testing_environment::Said;

class DockerEnvironmentsTest : public EngineTest {
 protected:
  std::string from_base(const std::string& rest) { return std::string("FROM ") + kBase + "\n" + mark() + "\n" + rest; }
};

TEST_F(DockerEnvironmentsTest, AnImageThatIsThereIsTakenAsItIs) {
  ImageIdentity image = ensured(request({.image = kBase}));
  EXPECT_EQ(image.id, (*engine().inspect_image(kBase))->id);
  EXPECT_EQ(image.digest, "");
  EXPECT_EQ(said_.all(), "");
}

TEST_F(DockerEnvironmentsTest, AnImageThatIsNowhereIsRefused) {
  Error error = refused(request({.image = "127.0.0.1:1/plz-test/none"}));
  EXPECT_EQ(error.code, ErrorCode::unavailable);
  EXPECT_THAT(error.message, HasSubstr("127.0.0.1:1"));
  EXPECT_EQ(said_.count("tried again"), 3u) << said_.all();
  EXPECT_EQ(refused(request({.image = "Not A Name"})).code, ErrorCode::invalid);
  EXPECT_EQ(refused(request({})).code, ErrorCode::invalid);
}

TEST_F(DockerEnvironmentsTest, ExtensionsAreBuiltOnce) {
  auto wanted = extended({"RUN echo hello from the build", "ENV A=b"});
  ImageIdentity first = ensured(wanted);
  EXPECT_TRUE(said_.has("hello from the build")) << said_.all();
  auto details = *engine().inspect_image(first.id);
  ASSERT_TRUE(details);
  EXPECT_THAT(details->environment, Contains("A=b"));
  EXPECT_THAT(details->tags, testing::SizeIs(2)) << "its key, and that this worker needs it";
  EXPECT_THAT(details->tags, Each(testing::StartsWith("plz/environment:")));
  said_.clear();
  EXPECT_EQ(ensured(wanted), first);
  auto other = worker();
  EXPECT_EQ(ensured(wanted, other.get()), first);
  EXPECT_EQ(said_.all(), "");
  EXPECT_NE(ensured(extended({"RUN echo another"})).id, first.id);
}

TEST_F(DockerEnvironmentsTest, ABaseThatMeansAnotherImageMakesAnotherEnvironment) {
  std::string name = tag(kBase, "plz-test/moving");
  ImageIdentity first = ensured(extended({"RUN true"}, name));
  EXPECT_EQ(ensured(extended({"RUN true"})).id, first.id) << "the same image by another name";
  tag(ensured(extended({"ENV NEW=base"})).id, "plz-test/moving");
  ImageIdentity second = ensured(extended({"RUN true"}, name));
  EXPECT_NE(second.id, first.id);
  EXPECT_THAT((*engine().inspect_image(second.id))->environment, Contains("NEW=base"));
}

TEST_F(DockerEnvironmentsTest, AChangeThatTheBuildCannotSeeBuildsNothing) {
  code_.write("requirements.txt", "one");
  code_.write("train.py", "1");
  code_.write("secret", "x");
  code_.write("tool.sh", "#!/bin/sh\nexit 0\n", 0755);
  code_.write(".dockerignore", "secret\n*.Dockerfile\n");
  auto wanted =
      dockerfile(from_base("COPY requirements.txt tool.sh secre* /d/\nRUN /d/tool.sh && test ! -e /d/secret && "
                           "grep one /d/requirements.txt\n"));
  ImageIdentity first = ensured(wanted);
  code_.write("train.py", "2");
  code_.write("secret", "y");
  EXPECT_EQ(ensured(wanted), first);
  code_.write("requirements.txt", "one, two");
  EXPECT_NE(ensured(wanted).id, first.id);
  EXPECT_EQ(said_.count("Building the environment"), 2u) << said_.all();
}

TEST_F(DockerEnvironmentsTest, TheWholeContextIsWhatDockerignoreLeaves) {
  code_.write("a/deep/file", "content");
  code_.write("log/x", "x");
  code_.write(std::string(150, 'n') + "/caf\xe9", "bytes");
  symlink("a/deep", (code_.path() + "/link").c_str());
  mkdir((code_.path() + "/hollow").c_str(), 0700);
  code_.write(".dockerignore", "log\nplz.Dockerfile\n.dockerignore\n");
  ensured(dockerfile(from_base(
      "COPY . /c\nRUN test $(cat /c/link/file) = content && test -d /c/hollow && test ! -e /c/log && test ! -e "
      "/c/plz.Dockerfile && test ! -e /c/.dockerignore && test $(ls /c | wc -l) = 4 && cat /c/nnn*/caf*\n")));
  EXPECT_TRUE(said_.has("bytes")) << said_.all();
}

TEST_F(DockerEnvironmentsTest, ExtensionsMayCopyToo) {
  code_.write("seen", "1");
  code_.write("unseen", "1");
  ImageIdentity first = ensured(extended({"COPY . /c", "RUN ls -a /c; test $(ls -a /c | wc -l) = 4"}));
  EXPECT_NE(first.id, "") << said_.all();
  ImageIdentity second = ensured(extended({"COPY seen /seen"}));
  code_.write("unseen", "2");
  EXPECT_EQ(ensured(extended({"COPY seen /seen"})), second);
  EXPECT_NE(ensured(extended({"COPY . /c", "RUN ls -a /c; test $(ls -a /c | wc -l) = 4"})).id, first.id);
}

TEST_F(DockerEnvironmentsTest, TriggersOfABaseSeeTheCode) {
  std::string base = ensured(extended({"ONBUILD COPY marker /m", "ONBUILD RUN cat /m"})).id;
  std::string name = tag(base, "plz-test/onbuild");
  code_.write("marker", "hello from the code");
  code_.write("train.py", "1");
  ImageIdentity first = ensured(request({.image = name}));
  EXPECT_NE(first.id, base);
  EXPECT_TRUE(said_.has("hello from the code")) << said_.all();
  code_.write("train.py", "2");
  EXPECT_EQ(ensured(request({.image = name})), first);
  code_.write("marker", "another");
  EXPECT_NE(ensured(request({.image = name})).id, first.id);
  EXPECT_NE(ensured(dockerfile("FROM " + name + "\n")).id, first.id);
}

TEST_F(DockerEnvironmentsTest, AFailedBuildSaysWhyAndLeavesNothing) {
  Error error = refused(extended({"RUN echo made > /a", "RUN echo the last words; exit 3"}));
  EXPECT_EQ(error.code, ErrorCode::invalid);
  EXPECT_THAT(error.message, HasSubstr("returned a non-zero code: 3"));
  EXPECT_THAT(error.message, HasSubstr("\n  | the last words"));
  EXPECT_THAT(built(), IsEmpty());
  EXPECT_EQ(containers(), 0u);
}

TEST_F(DockerEnvironmentsTest, AFailedBuildLeavesWhatWasThere) {
  auto good = ensured(extended({"RUN echo shared > /a"}));
  refused(extended({"RUN echo shared > /a", "RUN false"}));
  EXPECT_TRUE(*engine().inspect_image(good.id));
  EXPECT_EQ(built().size(), 1u);
}

TEST_F(DockerEnvironmentsTest, ADockerfileThatIsNoneIsRefusedInTheEnginesWords) {
  Error error = refused(dockerfile(from_base("RUNN true\n")));
  EXPECT_EQ(error.code, ErrorCode::invalid);
  EXPECT_THAT(error.message, HasSubstr("unknown instruction"));
  EXPECT_THAT(refused(dockerfile("")).message, HasSubstr("empty"));
  EXPECT_EQ(refused(dockerfile(from_base("COPY absent /x\n"))).code, ErrorCode::invalid);
  code_.write(".dockerignore", "[a");
  EXPECT_THAT(refused(dockerfile(from_base("COPY . /x\n"))).message, HasSubstr("line 1 of .dockerignore"));
  EXPECT_TRUE(remove_tree(code_.path() + "/plz.Dockerfile"));
  EXPECT_THAT(refused(request({.dockerfile = true})).message, HasSubstr("no plz.Dockerfile"));
}

TEST_F(DockerEnvironmentsTest, StagesOfABuildAreKeptByNameAndRemoved) {
  ImageIdentity image = ensured(dockerfile(std::string("FROM ") + kBase + " AS tools\n" + mark() +
                                           "\nRUN echo tool > /t\n" + from_base("COPY --from=tools /t /t\n")));
  std::vector<KeptEnvironment> kept = *environments().list();
  std::string name;
  for (const auto& k : kept)
    if (k.image_id == image.id) name = k.name;
  auto stage = std::find_if(kept.begin(), kept.end(), [&](const auto& k) { return k.name == name + "-stage-1"; });
  ASSERT_NE(stage, kept.end());
  EXPECT_TRUE(*environments().remove(stage->image_id));
  EXPECT_TRUE(*environments().remove(image.id));
  EXPECT_THAT(built(), IsEmpty());
}

TEST_F(DockerEnvironmentsTest, TwentyAtOnceAreOneBuild) {
  auto wanted = extended({"RUN sleep 1; echo built"});
  std::vector<std::string> ids(20);
  {
    std::vector<std::jthread> threads;
    for (std::string& id : ids) threads.emplace_back([&] { id = ensured(wanted).id; });
  }
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 1u);
  EXPECT_EQ(said_.count("Building the environment"), 1u) << said_.all();
}

TEST_F(DockerEnvironmentsTest, WorkersThatBuildAtOnceEndWithOneImage) {
  auto wanted = extended({"RUN sleep 1; head -c 8 /dev/urandom > /random"});
  std::vector<std::unique_ptr<DockerEnvironments>> workers;
  for (int i = 0; i < 4; ++i) workers.push_back(worker());
  std::vector<std::string> ids(workers.size());
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < ids.size(); ++i)
      threads.emplace_back([&, i] { ids[i] = ensured(wanted, workers[i].get()).id; });
  }
  EXPECT_THAT(ids, Each(ids[0]));
  EXPECT_EQ(built().size(), 1u);
}

TEST_F(DockerEnvironmentsTest, AStoppedBuildLeavesNothing) {
  std::stop_source stop;
  Say say = [&](std::string_view line) {
    said_.say()(line);
    if (line.find("now") == 0) stop.request_stop();
  };
  auto ready =
      environments().ensure(extended({"RUN echo made > /a", "RUN echo now; sleep 300"}), say, stop.get_token());
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().code, ErrorCode::cancelled) << ready.error().message;
  for (int i = 0; i < 1800 && containers() > 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(containers(), 0u);
  EXPECT_THAT(built(), IsEmpty());
}

TEST_F(DockerEnvironmentsTest, ARecordedImageIsTakenByItsId) {
  auto wanted = extended({"RUN true"});
  wanted.recipe.pinned = ensured(wanted);
  wanted.recipe.image_extensions.push_back("RUN never");
  auto ready = environments().ensure(wanted, said_.say(), {});
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->image, *wanted.recipe.pinned);
  EXPECT_FALSE(ready->rebuilt);
}

TEST_F(DockerEnvironmentsTest, ARecordedImageThatIsGoneIsMadeAgainWithAWarning) {
  auto wanted = extended({"RUN head -c 8 /dev/urandom > /random"});
  wanted.recipe.pinned = ensured(wanted);
  ASSERT_TRUE(environments().remove(wanted.recipe.pinned->id));
  auto ready = environments().ensure(wanted, said_.say(), {});
  ASSERT_TRUE(ready) << ready.error().message;
  EXPECT_TRUE(ready->rebuilt);
  EXPECT_NE(ready->image.id, wanted.recipe.pinned->id);
  EXPECT_TRUE(said_.has("** The recorded image " + wanted.recipe.pinned->id)) << said_.all();
}

TEST_F(DockerEnvironmentsTest, ARecordedImageThatCannotBeMadeAgainIsRefused) {
  auto wanted = extended({"RUN exit 9"});
  wanted.recipe.pinned = ImageIdentity{.id = "sha256:" + std::string(64, '1')};
  Error error = refused(wanted);
  EXPECT_EQ(error.code, ErrorCode::not_found);
  EXPECT_THAT(error.message, HasSubstr("cannot be made again"));
}

TEST_F(DockerEnvironmentsTest, APlainImageThatIsGoneIsRefusedThoughItsNameIsThere) {
  const std::string name = tag(ensured(extended({"ENV IT=then"})).id, "plz-test/moving");
  auto wanted = request({.image = name});
  wanted.recipe.pinned = ensured(wanted);
  EXPECT_EQ(wanted.recipe.pinned->base_id, "");
  const std::string now = ensured(extended({"ENV IT=now"})).id;
  tag(now, "plz-test/moving");
  ASSERT_TRUE(engine().remove_image(wanted.recipe.pinned->id, true));
  Error error = refused(wanted);
  EXPECT_EQ(error.code, ErrorCode::not_found);
  EXPECT_THAT(error.message, HasSubstr("the recorded image " + wanted.recipe.pinned->id + " is gone"));
  EXPECT_THAT(error.message, HasSubstr(name + " means another image today, " + now));
  EXPECT_THAT(error.hint, HasSubstr("docker load"));
  EXPECT_THAT(error.hint, HasSubstr("plz run"));
}

TEST_F(DockerEnvironmentsTest, AnImageIsMadeAgainUponTheBaseOfThen) {
  const std::string then = ensured(extended({"ENV IT=then"})).id;
  const std::string name = tag(then, "plz-test/moving");
  auto wanted = extended({"RUN head -c 8 /dev/urandom > /random"}, name);
  wanted.recipe.pinned = ensured(wanted);
  EXPECT_EQ(wanted.recipe.pinned->base_id, then);
  const std::string now = ensured(extended({"ENV IT=now"})).id;
  tag(now, "plz-test/moving");
  ASSERT_TRUE(engine().remove_image(wanted.recipe.pinned->id, true));
  auto again = environments().ensure(wanted, said_.say(), {});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE(again->rebuilt);
  EXPECT_EQ(again->image.base_id, then);
  EXPECT_THAT((*engine().inspect_image(again->image.id))->environment, Contains("IT=then"));
  EXPECT_FALSE(said_.has("What it was built upon")) << said_.all();
  ASSERT_TRUE(engine().remove_image(again->image.id, true));
  ASSERT_TRUE(engine().remove_image(then, true));
  again = environments().ensure(wanted, said_.say(), {});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->image.base_id, now);
  EXPECT_TRUE(said_.has("** What it was built upon, " + then + ", is not to be had either")) << said_.all();
}

TEST_F(DockerEnvironmentsTest, EveryImageThatABuildNamesIsPartOfItsKey) {
  const std::string name = tag(kBase, "plz-test/moving");
  const std::string version = name.substr(name.find(':') + 1);
  code_.write("file", "x");
  std::vector<EnvironmentRequest> all{
      extended({"COPY --from=" + name + " /bin/sh /copied"}),
      request({.image = tag(ensured(extended({"ONBUILD COPY --from=" + name + " /bin/sh /copied"})).id,
                            "plz-test/onbuild")})};
  for (const auto& wanted : all) ensured(wanted);
  auto of_file = dockerfile("ARG V\nFROM plz-test/moving:${V:-" + version + "}\n" + mark() + "\n");
  std::vector<std::string> before;
  for (const auto& wanted : all) before.push_back(ensured(wanted).id);
  before.push_back(ensured(of_file).id);
  tag(ensured(extended({"ENV NEW=base"})).id, "plz-test/moving");
  for (const auto& wanted : all) EXPECT_THAT(before, Not(Contains(ensured(wanted).id)));
  EXPECT_THAT(before, Not(Contains(ensured(of_file).id)));
}

TEST_F(DockerEnvironmentsTest, ABaseThatOnlyTheEngineCouldTellIsRefused) {
  Error error = refused(dockerfile("FROM plz-test/base:$TARGETARCH\n"));
  EXPECT_EQ(error.code, ErrorCode::invalid);
  EXPECT_THAT(error.message, HasSubstr("plz.Dockerfile: which image plz-test/base:$TARGETARCH is"));
  EXPECT_THAT(error.hint, HasSubstr("default"));
}

TEST_F(DockerEnvironmentsTest, ListsAndRemovesItsOwnOnly) {
  ImageIdentity own = ensured(extended({"RUN true"}));
  ImageIdentity named = ensured(extended({"RUN echo named"}));
  std::string name = tag(named.id, "plz-test/mine");
  auto kept = *environments().list();
  auto find = [&](const std::string& id) {
    return std::find_if(kept.begin(), kept.end(), [&](const auto& k) { return k.image_id == id; });
  };
  ASSERT_NE(find(own.id), kept.end());
  EXPECT_THAT(find(own.id)->name, testing::StartsWith("plz/environment:"));
  EXPECT_FALSE(find(own.id)->in_use);
  EXPECT_LT(find(own.id)->bytes, 1u << 20) << "the base is not its own";
  EXPECT_EQ(find(named.id), kept.end()) << "it has a name of somebody's";
  EXPECT_EQ(environments().remove((*engine().inspect_image(kBase))->id).error().code, ErrorCode::not_found);
  EXPECT_EQ(environments().remove(named.id).error().code, ErrorCode::not_found);
  EXPECT_TRUE(environments().remove(own.id));
  EXPECT_FALSE(*engine().inspect_image(own.id));
}

TEST_F(DockerEnvironmentsTest, GoesWithTheLastWorkerThatNeedsIt) {
  auto other = worker();
  const auto wanted = extended({"RUN true"});
  const std::string id = ensured(wanted).id;
  EXPECT_EQ(ensured(wanted, other.get()).id, id);
  auto unneeded = [&](Environments& by) {
    const auto all = *by.unneeded({});
    for (const auto& kept : all)
      if (kept.image_id == id) return kept.goes ? "goes" : "stays";
    return "is no business of its";
  };
  auto stranger = worker();
  EXPECT_STREQ(unneeded(*stranger), "is no business of its");
  EXPECT_FALSE(*stranger->remove(id));
  EXPECT_STREQ(unneeded(environments()), "stays");
  EXPECT_FALSE(*environments().remove(id));
  EXPECT_STREQ(unneeded(environments()), "is no business of its");
  said_.clear();
  EXPECT_EQ(ensured(wanted, other.get()).id, id);
  EXPECT_EQ(said_.all(), "") << "it is found by its key as before";
  EXPECT_STREQ(unneeded(*other), "goes");
  EXPECT_TRUE(*other->remove(id));
  EXPECT_FALSE(*engine().inspect_image(id));
}

TEST_F(DockerEnvironmentsTest, WhatAHistoryNeedsIsHeldThoughNothingUsesIt) {
  const std::string id = ensured(extended({"RUN true"})).id;
  auto other = worker();
  ASSERT_TRUE(other->need({id, "sha256:" + std::string(64, '1')}));
  EXPECT_FALSE(*environments().remove(id));
  EXPECT_TRUE(*engine().inspect_image(id));
  EXPECT_TRUE(*other->remove(id));
}

TEST_F(DockerEnvironmentsTest, AnEarlierPlzsGoOnlyForRoom) {
  const std::string built = ensured(extended({"RUN true"})).id;
  const std::string key = (*engine().inspect_image(built))->labels.at("plz.environment");
  ASSERT_TRUE(environments().remove(built));
  const std::string dockerfile = std::string("FROM ") + kBase + "\n" + mark() + "\n";
  auto tar = std::make_shared<ContextArchive>(code_.path(), std::vector<ContextEntry>(),
                                              std::map<std::string, std::string>{{"Dockerfile", dockerfile}});
  auto old = engine().build_image(
      {.tags = {"plz/environment:" + key}, .labels = {{"plz.environment", key}}},
      [tar](char* buffer, size_t size) { return tar->read(buffer, size); }, [](std::string_view) {}, {});
  ASSERT_TRUE(old) << old.error().message;
  auto is_unneeded = [&] {
    auto unneeded = *environments().unneeded({});
    return std::any_of(unneeded.begin(), unneeded.end(), [&](const auto& kept) { return kept.image_id == *old; });
  };
  EXPECT_FALSE(is_unneeded());
  EXPECT_EQ(ensured(extended({"RUN true"})).id, *old) << "and it is used like any other";
  EXPECT_TRUE(is_unneeded());
  EXPECT_FALSE(*environments().remove(*old));
  EXPECT_TRUE(*engine().inspect_image(*old)) << "somebody else's history may need it";
  // It alone was used before now: what other tests have on the engine is too young to go.
  auto tight = worker({.directory = state_.path() + "/tight", .limit_bytes = 1});
  ASSERT_TRUE(LastUse(state_.path() + "/tight/environments-last-use", clock_).touch(*old));
  clock_.advance(std::chrono::hours(2));
  ASSERT_TRUE(tight->evict());
  EXPECT_FALSE(*engine().inspect_image(*old));
}

TEST_F(DockerEnvironmentsTest, WhatAnotherStandsOnIsNotCountedAsGoing) {
  const std::string low = ensured(extended({"RUN head -c 4000000 /dev/urandom > /low"})).id;
  const std::string name = tag(low, "plz-test/low");
  const std::string high = ensured(extended({"RUN head -c 2000000 /dev/urandom > /high"}, name)).id;
  ASSERT_TRUE(engine().remove_image(name, false));
  auto unneeded = [&](const std::vector<std::string>& needed) {
    std::vector<std::pair<std::string, uint64_t>> found;
    const auto all = *environments().unneeded(needed);
    for (const auto& kept : all) found.emplace_back(kept.image_id, kept.bytes);
    return found;
  };
  EXPECT_THAT(unneeded({high}), IsEmpty());
  EXPECT_THAT(unneeded({low}), testing::ElementsAre(std::pair(high, 2'000'000u)));
  EXPECT_THAT(unneeded({}), testing::ElementsAre(std::pair(high, 2'000'000u), std::pair(low, 4'000'000u)));
  EXPECT_FALSE(*environments().remove(low)) << "it is asked for all the same";
  EXPECT_THAT(unneeded({}), testing::SizeIs(2)) << "and has its names again";
  EXPECT_TRUE(*environments().remove(high));
  EXPECT_TRUE(*environments().remove(low));
  EXPECT_THAT(built(), IsEmpty());
}

TEST_F(DockerEnvironmentsTest, WhatAContainerUsesStays) {
  ImageIdentity image = ensured(extended({"RUN true"}));
  auto container = engine().create_container("plz-test-" + token(), {R"({"Image": ")" + image.id + R"("})"});
  ASSERT_TRUE(container) << container.error().message;
  EXPECT_EQ(environments().remove(image.id).error().code, ErrorCode::conflict);
  EXPECT_TRUE(engine().remove_container(*container));
  EXPECT_TRUE(environments().remove(image.id));
}

TEST_F(DockerEnvironmentsTest, EvictionSparesWhatWasJustUsed) {
  auto tight = worker({.limit_bytes = 1});
  ImageIdentity image = ensured(extended({"RUN true"}), tight.get());
  ASSERT_TRUE(tight->evict());
  EXPECT_TRUE(*engine().inspect_image(image.id));
}

TEST_F(DockerEnvironmentsTest, TheBuildsNetworkIsASetting) {
  auto alone = worker({.build_network = "none"});
  ensured(extended({"RUN ls /sys/class/net | tr '\\n' ' '; test $(ls /sys/class/net | wc -l) = 1"}), alone.get());
  EXPECT_TRUE(said_.has("lo")) << said_.all();
}

}  // namespace
}  // namespace plz
