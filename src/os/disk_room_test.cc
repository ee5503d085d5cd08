#include "os/disk_room.h"

#include <gtest/gtest.h>

#include "os/temporary_directory_test.h"

namespace plz {
namespace {

TEST(DiskRoom, IsToldInWords) {
  EXPECT_EQ((DiskRoom{"/data", 12u << 10, 24u << 20}).words(), "/data has 12.0 KiB free of 24.0 MiB");
  EXPECT_EQ((DiskRoom{"/data", 12u << 20, 24u << 20, true}).words(),
            "/data can hold no more files (12.0 MiB free of 24.0 MiB)");
}

TEST(DiskRoom, FullIsWhereNothingCanBeCountedOn) {
  EXPECT_TRUE((DiskRoom{"/data", 0, 1u << 30}).is_full());
  EXPECT_TRUE((DiskRoom{"/data", DiskRoom::kLeastBytes - 1, 1u << 30}).is_full());
  EXPECT_FALSE((DiskRoom{"/data", DiskRoom::kLeastBytes, 1u << 30}).is_full());
  EXPECT_TRUE((DiskRoom{"/data", 1u << 29, 1u << 30, true}).is_full());
}

TEST(DiskRoom, IsAskedOfTheFileSystem) {
  TemporaryDirectory directory;
  const auto room = disk_room(directory.path());
  ASSERT_TRUE(room) << room.error().message;
  EXPECT_GT(room->total_bytes, 0u);
  EXPECT_LE(room->free_bytes, room->total_bytes);
  const auto below = disk_room(directory.path("is/not/there"));
  ASSERT_TRUE(below);
  EXPECT_EQ(below->total_bytes, room->total_bytes);
  EXPECT_EQ(below->directory, directory.path("is/not/there"));
}

}  // namespace
}  // namespace plz
