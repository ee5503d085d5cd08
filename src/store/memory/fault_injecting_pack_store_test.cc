#include "store/memory/fault_injecting_pack_store.h"

#include "store/capture/random_bytes_test.h"
#include "store/capture/scratch_tree_test.h"
#include "store/chunker.h"
#include "store/hasher.h"
#include "store/memory/memory_pack_store.h"
#include "store/memory/pack_blob_channel.h"
#include "store/pack_format.h"
#include "store/tree.h"

namespace plz {
namespace {

class FaultsTest : public ScratchTree {
 protected:
  void SetUp() override {
    ScratchTree::SetUp();
    write("small", "1");
    write("dir/large", random_bytes(6u << 20));
    for (int i = 0; i < 30; ++i) write("dir/f" + std::to_string(i), random_bytes(1u << 20, i + 10));
    let_the_tick_pass();
  }
  // A tree that is in the store is there with all below it.
  void expect_whole_trees(PackStore& packs) {
    PackBlobChannel fresh(packs);
    ASSERT_TRUE(fresh.load());
    auto packs_now = packs.list();
    for (PackId id : *packs_now) {
      auto size = packs.size(id);
      std::string pack(*size, '\0');
      ASSERT_TRUE(packs.read(id, 0, pack.data(), pack.size()));
      PackBlobReader reader([&](const Digest& digest, std::string_view bytes) -> Result<void> {
        EXPECT_EQ(digest_of(bytes), digest);
        if (auto chunks = decode_chunk_list(bytes)) {
          for (auto& chunk : *chunks) EXPECT_FALSE((*fresh.missing({&chunk.digest, 1}))[0]);
        }
        if (!decode_tree(bytes)) return {};
        return each_file_is_there(fresh, digest);
      });
      ASSERT_TRUE(reader.feed(pack));
    }
  }
  Result<void> each_file_is_there(BlobSource& source, const Digest& tree) {
    PLZ_ASSIGN(auto entries, list_tree(tree, source));
    for (auto& [path, entry] : entries)
      if (entry.kind == EntryKind::file || entry.kind == EntryKind::chunked_file)
        PLZ_TRY(read_entry(entry, source, [](std::string_view) -> Result<void> { return {}; }));
    return {};
  }

  MemoryPackStore memory_;
  FaultInjectingPackStore faulty_{memory_};
};

TEST_F(FaultsTest, ACaptureThatFailedAnywhereEndsRightWhenRepeated) {
  Digest expected = captured().tree;
  ASSERT_TRUE(remove_tree(options_.stat_cache_path));
  PackBlobChannel channel(faulty_);
  bool succeeded = false;
  uint64_t failures = 0;
  for (uint64_t operation = 0; !succeeded; ++operation) {
    faulty_.fail_from(operation);
    auto result = capture(root_, options_, channel);
    succeeded = result.has_value();
    if (!succeeded) {
      ++failures;
      EXPECT_EQ(result.error().code, ErrorCode::unavailable);
      // As after a crash: only what the packs hold is known.
      expect_whole_trees(memory_);
    } else {
      EXPECT_EQ(result->tree, expected);
    }
  }
  EXPECT_GE(failures, 6u);  // of a pack's create, append and commit; what was stored stays
  faulty_.work_again();
  PackBlobChannel fresh(memory_);
  ASSERT_TRUE(fresh.load());
  std::string copy = scratch_ + "/copy";
  ASSERT_TRUE(materialise(expected, copy, {}, fresh));
  root_ = copy;
  EXPECT_EQ(captured().tree, expected);
}

TEST_F(FaultsTest, AMaterialisationSaysWhatFailed) {
  PackBlobChannel channel(faulty_);
  auto result = capture(root_, options_, channel);
  ASSERT_TRUE(result);
  for (uint64_t operation : {0, 1, 5, 20}) {
    faulty_.fail_from(operation);
    std::string copy = scratch_ + "/copy" + std::to_string(operation);
    auto written = materialise(result->tree, copy, {}, channel);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, ErrorCode::unavailable);
  }
}

}  // namespace
}  // namespace plz
