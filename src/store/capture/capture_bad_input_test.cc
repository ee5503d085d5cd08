// What bad input and bad luck get.
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <thread>

#include "store/capture.h"
#include "store/capture/random_bytes_test.h"
#include "store/capture/scratch_tree_test.h"

namespace plz {
namespace {

using Lines = std::vector<std::string>;
using testing::Test;

class CaptureBadInput : public ScratchTree {};

bool contains(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

TEST_F(CaptureBadInput, AMissingRootIsNamed) {
  root_ = scratch_ + "/nothing";
  auto error = capture_error();
  EXPECT_EQ(error.code, ErrorCode::not_found);
  EXPECT_TRUE(contains(error.message, root_));
}

TEST_F(CaptureBadInput, ARootThatIsAFifoIsRefused) {
  root_ = scratch_ + "/fifo";
  ASSERT_EQ(mkfifo(root_.c_str(), 0600), 0);
  EXPECT_EQ(capture_error().message, root_ + " is a fifo");
}

// As nobody, where the tests run as root.
class Unreadable : public CaptureBadInput {
 protected:
  void SetUp() override {
    CaptureBadInput::SetUp();
    chmod(scratch_.c_str(), 0777);
    write("open", "1");
    write("closed", "2", 0);
    if (geteuid() == 0) setfsuid(65534);
  }
  void TearDown() override {
    setfsuid(geteuid());
    CaptureBadInput::TearDown();
  }
};

TEST_F(Unreadable, AFileIsNamedWithWhatToDo) {
  auto error = capture_error();
  EXPECT_EQ(error.code, ErrorCode::invalid);
  EXPECT_TRUE(contains(error.message, in_root("closed"))) << error.message;
  EXPECT_TRUE(contains(error.hint, "excluded_paths"));
}

TEST_F(Unreadable, AFileCanBeAWarning) {
  options_.unreadable_is_warning = true;
  auto result = captured();
  EXPECT_EQ(listing(result.tree), Lines{"open f644 1"});
  ASSERT_EQ(result.warnings.size(), 1u);
  EXPECT_TRUE(contains(result.warnings[0], in_root("closed")));
}

TEST_F(Unreadable, ADirectoryIsNamedToo) {
  setfsuid(geteuid());
  ASSERT_EQ(unlink(in_root("closed").c_str()), 0);
  write("dir/f", "x");
  ASSERT_EQ(chmod(in_root("dir").c_str(), 0), 0);
  if (geteuid() == 0) setfsuid(65534);
  EXPECT_TRUE(contains(capture_error().message, in_root("dir")));
  options_.unreadable_is_warning = true;
  EXPECT_EQ(listing(captured().tree), Lines{"open f644 1"});
}

TEST_F(CaptureBadInput, SpecialFilesAreLeftOutWithAWarning) {
  write("file", "1");
  ASSERT_EQ(mkfifo(in_root("fifo").c_str(), 0600), 0);
  sockaddr_un address = {.sun_family = AF_UNIX};
  UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_LT(in_root("sock").size(), sizeof address.sun_path);
  strcpy(address.sun_path, in_root("sock").c_str());
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  auto result = captured();
  EXPECT_EQ(listing(result.tree), Lines{"file f644 1"});
  ASSERT_EQ(result.warnings.size(), 2u);
  EXPECT_EQ(result.warnings[0], in_root("fifo") + " is a fifo and is left out.");
  EXPECT_EQ(captured().warnings.size(), 2u);  // the next time too
  options_.special_files_are_errors = true;
  auto error = capture_error();
  EXPECT_TRUE(contains(error.message, "which cannot be captured")) << error.message;
}

TEST_F(CaptureBadInput, LinksAreNeverFollowed) {
  ASSERT_EQ(symlink(".", in_root("loop").c_str()), 0);
  ASSERT_EQ(symlink("/etc", in_root("absolute").c_str()), 0);
  ASSERT_EQ(symlink("nothing/there", in_root("dangling").c_str()), 0);
  ASSERT_EQ(symlink("itself", in_root("itself").c_str()), 0);
  Lines expected = {"absolute l -> /etc", "dangling l -> nothing/there", "itself l -> itself", "loop l -> ."};
  EXPECT_EQ(listing(captured().tree), expected);
  EXPECT_EQ(listing(captured().tree), expected);
}

TEST_F(CaptureBadInput, HardLinksAreFilesOfTheirOwn) {
  write("a", "same");
  ASSERT_EQ(link(in_root("a").c_str(), in_root("b").c_str()), 0);
  EXPECT_EQ(listing(captured().tree), (Lines{"a f644 same", "b f644 same"}));
}

TEST_F(CaptureBadInput, NamesAreBytes) {
  std::string long_name(255, '\xe9');
  write("new\nline", "1");
  write("\xff\xfe", "2");
  write(" -rf *", "3");
  write(long_name, "4");
  Lines expected = {" -rf * f644 3", "new\nline f644 1", long_name + " f644 4", "\xff\xfe f644 2"};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(listing(captured().tree), expected);
  EXPECT_EQ(listing(captured().tree), expected);
}

TEST_F(CaptureBadInput, PathsMayBeLongerThanTheKernelTakes) {
  constexpr int kDepth = 220;
  UniqueFd here(open(root_.c_str(), O_DIRECTORY | O_CLOEXEC));
  std::string name(100, 'd'), path;
  for (int i = 0; i < kDepth; ++i) {
    ASSERT_EQ(mkdirat(here.get(), name.c_str(), 0755), 0);
    here = UniqueFd(openat(here.get(), name.c_str(), O_DIRECTORY | O_CLOEXEC));
    path += name + "/";
  }
  UniqueFd file(openat(here.get(), "leaf", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  ASSERT_TRUE(write_all(file.get(), "deep"));
  file.reset();
  auto first = captured();
  EXPECT_EQ(describe(**find_entry(first.tree, path + "leaf", channel_)), "f644 deep");
  auto before = channel_.counts().missing_calls;
  EXPECT_EQ(captured().tree, first.tree);
  EXPECT_EQ(channel_.counts().missing_calls, before + 1);
  std::string copy = scratch_ + "/copy";
  ASSERT_TRUE(materialise(first.tree, copy, {}, channel_));
  std::swap(copy, root_);
  EXPECT_EQ(captured().tree, first.tree);
}

TEST_F(CaptureBadInput, SetUserIdIsDroppedWithAWarning) {
  write("su", "x", 04755);
  auto result = captured();
  EXPECT_EQ(listing(result.tree), Lines{"su f755 x"});
  ASSERT_EQ(result.warnings.size(), 1u);
  EXPECT_EQ(captured().warnings.size(), 1u);
}

TEST_F(CaptureBadInput, WarningsEndInACount) {
  for (int i = 0; i < 150; ++i) ASSERT_EQ(mkfifo(in_root("fifo" + std::to_string(i)).c_str(), 0600), 0);
  auto warnings = captured().warnings;
  ASSERT_EQ(warnings.size(), 101u);
  EXPECT_EQ(warnings.back(), "And 50 more warnings.");
}

// Changes the tree when it is asked for the first time: between the walk and the reading.
class MeddlingSink final : public BlobSink {
 public:
  MeddlingSink(BlobSink& sink, std::function<void()> meddle) : sink_(sink), meddle_(std::move(meddle)) {}
  Result<std::vector<bool>> missing(std::span<const Digest> digests) override {
    if (auto meddle = std::exchange(meddle_, nullptr)) meddle();
    return sink_.missing(digests);
  }
  Result<void> send_pack(std::string pack) override { return sink_.send_pack(std::move(pack)); }

 private:
  BlobSink& sink_;
  std::function<void()> meddle_;
};

class Meddled : public CaptureBadInput {
 protected:
  Result<CaptureResult> capture_while(std::function<void()> meddle) {
    write("kept", "1");
    write("dir/inner", "2");
    captured();  // so that the next capture asks before it reads
    write("victim", "3");
    write("dir/victim", "4");
    let_the_tick_pass();
    MeddlingSink sink(channel_, std::move(meddle));
    return capture(root_, options_, sink);
  }
};

TEST_F(Meddled, AFileThatVanishesWasNeverThere) {
  auto result = capture_while([&] { unlink(in_root("victim").c_str()); });
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(listing(result->tree), (Lines{"dir d755 ", "dir/inner f644 2", "dir/victim f644 4", "kept f644 1"}));
  EXPECT_EQ(captured().tree, result->tree);
}

TEST_F(Meddled, ADirectoryThatVanishesLeavesNoFiles) {
  auto result = capture_while([&] { ASSERT_TRUE(remove_tree(in_root("dir"))); });
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(*find_entry(result->tree, "dir/victim", channel_), std::nullopt);
  EXPECT_EQ(listing(captured().tree), (Lines{"kept f644 1", "victim f644 3"}));
}

TEST_F(Meddled, AFileThatGrewIsCapturedAsItIs) {
  auto result = capture_while([&] { write("victim", std::string(3'000'000, 'x')); });
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(describe(**find_entry(result->tree, "victim", channel_)), "F644 3000000 bytes");
}

TEST_F(Meddled, AFileThatBecomesALinkOrAFifoIsAnError) {
  auto result = capture_while([&] {
    unlink(in_root("victim").c_str());
    ASSERT_EQ(symlink("/etc/passwd", in_root("victim").c_str()), 0);
  });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::conflict);
  unlink(in_root("victim").c_str());
  result = capture_while([&] {
    unlink(in_root("dir/victim").c_str());
    ASSERT_EQ(mkfifo(in_root("dir/victim").c_str(), 0600), 0);
  });
  ASSERT_FALSE(result);
  EXPECT_TRUE(contains(result.error().message, in_root("dir/victim"))) << result.error().message;
}

TEST_F(CaptureBadInput, AFileThatKeepsChangingIsNamed) {
  // Large enough that every read of it meets a write.
  write("log", std::string(64u << 20, 'x'));
  std::jthread writer([&](std::stop_token stop) {
    UniqueFd fd(open(in_root("log").c_str(), O_WRONLY | O_CLOEXEC));
    while (!stop.stop_requested()) {
      (void)pwrite_all(fd.get(), "y", 0);
      std::this_thread::yield();
    }
  });
  auto error = capture_error();
  EXPECT_EQ(error.code, ErrorCode::conflict);
  EXPECT_EQ(error.message, in_root("log") + " keeps changing while it is captured");
}

TEST_F(CaptureBadInput, CancellationIsHonoured) {
  write("a", "1");
  std::atomic<bool> cancelled = true;
  options_.cancelled = &cancelled;
  EXPECT_EQ(capture_error().code, ErrorCode::cancelled);
  EXPECT_EQ(channel_.blobs(), 0u);
}

// Fails, or cancels, when the sender comes with the n-th pack.
class FailingSink final : public BlobSink {
 public:
  FailingSink(MemoryBlobChannel& sink, size_t packs) : sink_(sink), left_(packs) {}
  Result<std::vector<bool>> missing(std::span<const Digest> digests) override { return sink_.missing(digests); }
  Result<void> send_pack(std::string pack) override {
    if (left_ == 0) return fail(ErrorCode::unavailable, "the store's disk is full");
    --left_;
    return sink_.send_pack(std::move(pack));
  }

 private:
  MemoryBlobChannel& sink_;
  std::atomic<size_t> left_;
};

TEST_F(CaptureBadInput, AFailingStoreEndsItAndTheNextRunResumes) {
  for (int i = 0; i < 40; ++i) write("f" + std::to_string(i), random_bytes(1u << 20, i));
  let_the_tick_pass();
  FailingSink sink(channel_, 1);
  auto result = capture(root_, options_, sink);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "the store's disk is full");
  size_t stored = channel_.blobs();
  EXPECT_GT(stored, 0u);
  CaptureProgress last;
  std::mutex mutex;
  options_.progress = [&](const CaptureProgress& progress) {
    std::lock_guard lock(mutex);
    last = progress;
  };
  auto second = captured();
  EXPECT_EQ(last.bytes_hashed, (40 - stored) << 20);  // what was stored is not read again
  EXPECT_EQ(last.bytes_to_hash, last.bytes_hashed);
  EXPECT_EQ(listing(second.tree).size(), 40u);
  EXPECT_EQ(channel_.counts().blobs_received, 41u);  // none was sent twice
}

}  // namespace
}  // namespace plz
