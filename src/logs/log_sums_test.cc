// What becomes of logs whose bytes, or whose checksums, are not what was written.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include <gtest/gtest.h>

#include "logs/file_log_store_fixture_test.h"
#include "logs/log_sums.h"
#include "os/file.h"

namespace plz {
namespace {

class LogSumsTest : public FileLogStoreFixture {
 protected:
  // In pieces of odd sizes.
  void write(std::string_view text) {
    uint64_t at = store_->state(log_)->bytes;
    for (size_t size = 1; at < text.size(); size = size * 3 % 100'003)
      at = store_->append(log_, at, text.substr(at, size))->bytes;
  }
  void overwrite(std::string_view suffix, uint64_t at, std::string_view bytes) {
    struct stat st;
    ASSERT_EQ(stat(path(suffix).c_str(), &st), 0);
    ASSERT_EQ(chmod(path(suffix).c_str(), 0600), 0);
    UniqueFd fd = *open_file(path(suffix), O_RDWR);
    ASSERT_TRUE(pwrite_all(fd.get(), bytes, at));
    ASSERT_EQ(chmod(path(suffix).c_str(), st.st_mode & 0777), 0);
  }
  std::vector<LogDamage> damage(uint64_t from = 0) { return store_->look(log_, from)->damage; }
  std::string read() {
    std::string text(1u << 20, '?');
    text.resize(*store_->read(log_, 0, text.data(), text.size()));
    return text;
  }
};

std::string numbered_lines(size_t bytes) {
  std::string text;
  for (int i = 0; text.size() < bytes; ++i) text += "line " + std::to_string(i) + "\n";
  return text.substr(0, bytes);
}

constexpr uint64_t kPiece = LogSums::kPieceBytes;
constexpr const char* kChanged = "they are not what was written";

TEST_F(LogSumsTest, WhatWasWrittenIsSound) {
  for (uint64_t bytes : {uint64_t{1}, kPiece - 1, kPiece, kPiece + 1, 5 * kPiece + 77}) {
    log_ = Uuid::make_v7(clock_);
    write(numbered_lines(bytes));
    EXPECT_EQ(damage(), std::vector<LogDamage>{}) << bytes;
    reopen();
    EXPECT_EQ(store_->state(log_)->bytes, bytes);
    EXPECT_EQ(damage(), std::vector<LogDamage>{}) << bytes;
    ASSERT_TRUE(store_->seal(log_));
    EXPECT_EQ(store_->look(log_, 0)->bytes, bytes);
    EXPECT_EQ(damage(), std::vector<LogDamage>{}) << bytes;
  }
}

TEST_F(LogSumsTest, EveryFlippedByteIsFound) {
  const std::string text = numbered_lines(2 * kPiece + 100);
  write(text);
  ASSERT_TRUE(store_->seal(log_));
  for (uint64_t at : {uint64_t{0}, kPiece - 1, kPiece, 2 * kPiece, 2 * kPiece + 99}) {
    overwrite(".log", at, std::string(1, static_cast<char>(text[at] ^ 1)));
    const uint64_t begin = at / kPiece * kPiece;
    EXPECT_EQ(damage(), (std::vector<LogDamage>{{begin, std::min(begin + kPiece, text.size()), kChanged}}));
    EXPECT_EQ(damage(begin + kPiece), std::vector<LogDamage>{});
    EXPECT_EQ(read().size(), text.size());
    overwrite(".log", at, text.substr(at, 1));
    EXPECT_EQ(damage(), std::vector<LogDamage>{});
  }
}

TEST_F(LogSumsTest, ALogThatIsShorterLongerOrGoneIsFound) {
  const std::string text = numbered_lines(kPiece + 100);
  write(text);
  ASSERT_TRUE(store_->seal(log_));
  overwrite(".log", text.size(), "more");
  EXPECT_EQ(damage(), (std::vector<LogDamage>{{text.size(), text.size() + 4, "nobody wrote them"}}));
  ASSERT_EQ(truncate(path().c_str(), 10), 0);
  EXPECT_EQ(damage(), (std::vector<LogDamage>{{10, text.size(), "they are gone"}}));
  EXPECT_TRUE(read() == text.substr(0, 10));
  ASSERT_EQ(unlink(path().c_str()), 0);
  EXPECT_EQ(damage(), (std::vector<LogDamage>{{0, text.size(), "they are gone"}}));
  ASSERT_TRUE(store_->remove(log_));
  EXPECT_EQ(damage(), std::vector<LogDamage>{});
  EXPECT_FALSE(path_exists(path(".sums")));
}

TEST_F(LogSumsTest, ADamagedChecksumIsNoWrongLog) {
  write(numbered_lines(3 * kPiece));
  ASSERT_TRUE(store_->seal(log_));
  overwrite(".sums", 16 + 16, "x");
  auto found = damage();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].from, kPiece);
  EXPECT_EQ(found[0].to, 2 * kPiece);
  EXPECT_NE(found[0].fault.find(".sums is damaged"), std::string::npos);
  overwrite(".sums", 0, "x");
  reopen();
  found = damage();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NE(found[0].fault.find(".sums are damaged"), std::string::npos);
}

// As the end of a machine may leave it: old, empty, or zeros.
TEST_F(LogSumsTest, WhatHasNoChecksumIsTakenAsItIs) {
  write(numbered_lines(2 * kPiece));
  ASSERT_TRUE(store_->seal(log_));
  overwrite(".sums", 16, std::string(16, '\0'));
  reopen();
  EXPECT_EQ(damage(), std::vector<LogDamage>{});
  ASSERT_EQ(truncate(path(".sums").c_str(), 0), 0);
  reopen();
  EXPECT_EQ(damage(), std::vector<LogDamage>{});
  ASSERT_EQ(unlink(path(".sums").c_str()), 0);
  reopen();
  EXPECT_EQ(damage(), std::vector<LogDamage>{});
  EXPECT_EQ(read().size(), 2 * kPiece);
}

TEST_F(LogSumsTest, ALogOfAnOlderBuildGoesOnWithoutChecksums) {
  write("abc");
  ASSERT_EQ(unlink(path(".sums").c_str()), 0);
  reopen();
  EXPECT_EQ(store_->append(log_, 3, "def")->bytes, 6u);
  EXPECT_FALSE(path_exists(path(".sums")));
  EXPECT_EQ(read(), "abcdef");
  EXPECT_FALSE(*store_->take_anew(log_, 0));
}

// A death between the bytes and their checksum: nobody was told of them, and they are sent again.
TEST_F(LogSumsTest, AnUncheckedEndIsWrittenAnew) {
  const std::string text = numbered_lines(kPiece + 10);
  write(text);
  overwrite(".log", text.size(), "garbage");
  reopen();
  EXPECT_EQ(store_->state(log_)->bytes, text.size());
  EXPECT_TRUE(read() == text + "garbage");
  EXPECT_EQ(damage(), std::vector<LogDamage>{});
  EXPECT_EQ(store_->append(log_, text.size(), "true")->bytes, text.size() + 4);
  ASSERT_TRUE(store_->seal(log_));
  EXPECT_TRUE(read() == text + "true");
  EXPECT_EQ(*file_size(path()), text.size() + 4);
  EXPECT_EQ(damage(), std::vector<LogDamage>{});
}

// The end of a machine takes what was not on its disk yet, or leaves zeros there.
TEST_F(LogSumsTest, WhatIsMissingInAnOpenLogIsSaidUntilItIsSentAgain) {
  const std::string text = numbered_lines(3 * kPiece + 10);
  write(text);
  ASSERT_EQ(truncate(path().c_str(), static_cast<off_t>(kPiece + 5)), 0);
  reopen();
  EXPECT_EQ(store_->state(log_)->bytes, kPiece);
  EXPECT_TRUE(read() == text.substr(0, kPiece + 5));
  EXPECT_EQ(damage(), (std::vector<LogDamage>{{kPiece + 5, text.size(), "they are gone"}}));
  EXPECT_FALSE(store_->append(log_, text.size(), "more"));
  write(text);
  EXPECT_EQ(damage(), std::vector<LogDamage>{});
  reopen();
  EXPECT_EQ(store_->state(log_)->bytes, text.size());
  EXPECT_TRUE(read() == text);
}

TEST_F(LogSumsTest, ChecksumsWhoseBeginningIsDamagedAreMadeAnew) {
  const std::string text = numbered_lines(2 * kPiece);
  write(text);
  overwrite(".sums", 3, "x");
  reopen();
  EXPECT_EQ(damage().size(), 1u);
  EXPECT_EQ(store_->state(log_)->bytes, 0u);
  EXPECT_TRUE(read() == text);
  write(text);
  EXPECT_EQ(damage(), std::vector<LogDamage>{});
  reopen();
  EXPECT_EQ(store_->state(log_)->bytes, text.size());
  EXPECT_EQ(damage(), std::vector<LogDamage>{});
}

TEST_F(LogSumsTest, DamageIsTakenAnewFromWhoHasTheBytes) {
  const std::string text = numbered_lines(3 * kPiece + 10);
  write(text);
  EXPECT_FALSE(*store_->take_anew(log_, 0));
  overwrite(".log", kPiece + 7, "x");
  EXPECT_FALSE(*store_->take_anew(log_, 2 * kPiece));
  EXPECT_TRUE(*store_->take_anew(log_, 0));
  EXPECT_EQ(store_->state(log_)->bytes, kPiece);
  EXPECT_EQ(read().size(), text.size());
  EXPECT_EQ(damage().size(), 1u);
  write(text);
  EXPECT_TRUE(read() == text);
  EXPECT_EQ(damage(), std::vector<LogDamage>{});
  ASSERT_TRUE(store_->seal(log_));
  overwrite(".log", kPiece + 7, "x");
  reopen();
  EXPECT_FALSE(*store_->take_anew(log_, 0));
}

}  // namespace
}  // namespace plz
