#include "environment/docker/build_notes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/temporary_directory_test.h"

namespace plz {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(BuildNotes, AreReadByAnotherWorker) {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/builds";
  EXPECT_THAT(BuildNotes(path).keys(), IsEmpty());
  BuildImages images;
  for (const char* line : {"Step 1/2 : FROM x", " ---> 0123456789ab", "Step 2/2 : RUN a",
                           " ---> Running in c123456789ab", " ---> 2123456789ab", " ---> Running in c223456789ab"})
    if (images.line(line)) {
      ASSERT_TRUE(BuildNotes(path).write("key", images.made()));
    }
  const BuildNotes notes(path);
  EXPECT_THAT(notes.keys(), ElementsAre("key"));
  EXPECT_THAT(notes.read("key")->images, ElementsAre("2123456789ab"));
  EXPECT_THAT(notes.read("key")->containers, ElementsAre("c223456789ab", "c123456789ab"));
  EXPECT_THAT(notes.read("other")->images, IsEmpty());
  notes.erase("key");
  EXPECT_THAT(notes.keys(), IsEmpty());
}

}  // namespace
}  // namespace plz
