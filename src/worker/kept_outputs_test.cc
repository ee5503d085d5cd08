#include "worker/kept_outputs.h"

#include <gtest/gtest.h>

#include "os/file.h"
#include "os/temporary_directory_test.h"

namespace plz {
namespace {

const AttemptId kFirst = *AttemptId::parse("019aab9e-3c6f-7d52-9d0f-000000000001");
const AttemptId kSecond = *AttemptId::parse("019aab9e-3c6f-7d52-9d0f-000000000002");

TEST(KeptOutputs, AreTakenCountedAndRemoved) {
  TemporaryDirectory directory;
  KeptOutputs kept(directory.path("kept"));
  EXPECT_TRUE(kept.list().empty());
  directory.write("attempt/output/models/net.pt", "12345");
  directory.write("attempt/output/text", "678");
  ASSERT_EQ(symlink("/etc", directory.path("attempt/output/link").c_str()), 0);
  ASSERT_TRUE(kept.take(kFirst, directory.path("attempt/output")));
  EXPECT_TRUE(kept.has(kFirst));
  EXPECT_FALSE(kept.has(kSecond));
  EXPECT_TRUE(kept.take(kFirst, directory.path("attempt/output"))) << "it has been moved";
  directory.write("kept/not-an-attempt", "left alone");
  ASSERT_EQ(kept.list().size(), 1u);
  EXPECT_EQ(kept.list()[0].attempt_id, kFirst);
  EXPECT_EQ(kept.list()[0].bytes, 8u);
  directory.write("attempt/log", "90");
  ASSERT_TRUE(kept.take_log(kFirst, directory.path("attempt/log")));
  ASSERT_EQ(kept.list().size(), 1u);
  EXPECT_EQ(kept.list()[0].bytes, 10u);
  EXPECT_TRUE(kept.remove(kFirst));
  EXPECT_FALSE(path_exists(kept.log_path_of(kFirst)));
  EXPECT_TRUE(kept.remove(kSecond)) << "there is none";
  EXPECT_TRUE(kept.list().empty());
  EXPECT_TRUE(path_exists(directory.path("kept/not-an-attempt")));
}

}  // namespace
}  // namespace plz
