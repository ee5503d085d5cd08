#include "store/memory/memory_blob_channel.h"

#include <gtest/gtest.h>

#include "store/hasher.h"
#include "store/pack_format.h"

namespace plz {
namespace {

TEST(MemoryBlobChannel, TakesAPackAndGivesItsBlobsInTheOrderAsked) {
  MemoryBlobChannel channel;
  std::vector<Digest> digests = {digest_of("b"), digest_of("a"), digest_of("b")};
  EXPECT_EQ(*channel.missing(digests), (std::vector<bool>{true, true, true}));
  std::string pack;
  append_blob_to_pack(pack, digest_of("a"), "a");
  append_blob_to_pack(pack, digest_of("b"), "b");
  ASSERT_TRUE(channel.send_pack(pack));
  EXPECT_EQ(*channel.missing(digests), (std::vector<bool>{false, false, false}));
  std::string got;
  ASSERT_TRUE(channel.fetch(digests, [&](size_t, std::string_view bytes) -> Result<void> {
    got += bytes;
    return {};
  }));
  EXPECT_EQ(got, "bab");
}

TEST(MemoryBlobChannel, NamesTheBlobItLacks) {
  MemoryBlobChannel channel;
  std::vector<Digest> digests = {digest_of("gone")};
  auto result = channel.fetch(digests, [](size_t, std::string_view) -> Result<void> { return {}; });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::not_found);
  EXPECT_NE(result.error().message.find(digests[0].hex()), std::string::npos);
}

TEST(MemoryBlobChannel, RefusesAPackThatLies) {
  MemoryBlobChannel channel;
  std::string pack;
  append_blob_to_pack(pack, digest_of("a"), "not a");
  EXPECT_FALSE(channel.send_pack(pack));
  EXPECT_EQ(channel.blobs(), 0u);
}

}  // namespace
}  // namespace plz
