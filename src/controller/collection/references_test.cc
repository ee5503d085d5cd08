#include "controller/collection/references.h"

#include <gtest/gtest.h>

#include "controller/collection/reference_watch.h"
#include "store/hasher.h"

namespace plz {
namespace {

TEST(References, AreEverythingThatAnExecutionNeeds) {
  Execution execution;
  const Digest code = digest_of("code"), input = digest_of("input"), output = digest_of("output");
  const Digest inventory = digest_of("inventory"), last = digest_of("last");
  execution.spec.snapshot.code_tree = code;
  execution.spec.input = Input{input, "file://x", 1};
  execution.output_tree = output;
  execution.spec.metadata.text = "{\"git\": {\"commit\": \"" + std::string(40, 'a') +
                                 "\"}, \"python\": {\"inventory\": \"" + inventory.hex() + "\"}, \"long\": \"" +
                                 std::string(65, 'b') + "\", \"z\": \"" + last.hex() + "\"}";
  execution.spec.snapshot.environment.pinned = ImageIdentity{"sha256:1", ""};
  execution.image = ImageIdentity{"sha256:2", "r@sha256:3"};
  References references;
  add_references(execution, references);
  EXPECT_EQ(references.trees, (std::vector{code, input, output}));
  EXPECT_EQ(references.blobs, (std::vector{inventory, last}));
  EXPECT_EQ(references.images, (std::set<std::string>{"sha256:1", "sha256:2"}));
}

TEST(References, OfAPartAreThoseThatItsCompositeLacks) {
  Execution part;
  part.spec.parent_id = ExecutionId(Uuid::make_v7(SystemClock()));
  part.spec.snapshot.code_tree = digest_of("code");
  part.spec.metadata.text = "[\"" + digest_of("inventory").hex() + "\"]";
  part.output_tree = digest_of("output");
  part.image = ImageIdentity{"sha256:2", ""};
  References references;
  add_references(part, references);
  EXPECT_EQ(references.trees, std::vector{digest_of("output")});
  EXPECT_TRUE(references.blobs.empty());
  EXPECT_EQ(references.images, std::set<std::string>{"sha256:2"});
}

TEST(ReferenceWatch, KeepsWhatIsAnnouncedWhileItWatches) {
  ReferenceWatch watch;
  Execution execution;
  execution.spec.snapshot.code_tree = digest_of("a");
  { const auto stored = watch.announce(execution); }
  watch.begin();
  EXPECT_TRUE(watch.take().trees.empty());
  execution.spec.snapshot.code_tree = digest_of("b");
  execution.image = ImageIdentity{"sha256:1", ""};
  { const auto stored = watch.announce(execution); }
  EXPECT_EQ(watch.take().trees, std::vector{digest_of("b")});
  EXPECT_TRUE(watch.take().trees.empty());
  EXPECT_EQ(watch.images(), std::set<std::string>{"sha256:1"}) << "what was taken is among them";
  watch.end();
  EXPECT_TRUE(watch.images().empty());
  watch.begin();
  EXPECT_TRUE(watch.take().trees.empty());
}

TEST(ReferenceWatch, KeepsWhatWasAnnouncedAndIsNotYetStored) {
  ReferenceWatch watch;
  Execution execution;
  execution.spec.snapshot.code_tree = digest_of("a");
  const auto on_its_way = watch.announce(execution);
  watch.begin();
  EXPECT_EQ(watch.take().trees, std::vector{digest_of("a")});
}

}  // namespace
}  // namespace plz
