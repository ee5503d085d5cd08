#include "base/caught.h"

#include <sys/wait.h>
#include <unistd.h>

#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <gtest/gtest.h>

namespace plz {
namespace {

TEST(Caught, ReturnsWhatTheFunctionDoes) {
  EXPECT_EQ(*caught([]() -> Result<int> { return 7; }), 7);
  EXPECT_EQ(caught([]() -> Result<int> { return fail(ErrorCode::conflict, "no"); }).error().code, ErrorCode::conflict);
}

TEST(Caught, SaysWhatLacksAndWhatToDo) {
  auto memory = caught([]() -> Result<void> { throw std::bad_alloc(); });
  ASSERT_FALSE(memory);
  EXPECT_EQ(memory.error().code, ErrorCode::unavailable);
  EXPECT_NE(memory.error().message.find("not enough memory"), std::string::npos);
  EXPECT_FALSE(memory.error().hint.empty());
  auto thread = caught([]() -> Result<void> {
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
  });
  EXPECT_EQ(thread.error().code, ErrorCode::unavailable);
  EXPECT_NE(thread.error().hint.find("ulimit -u"), std::string::npos);
}

TEST(Caught, TakesAllElseForADefect) {
  auto defect = caught([]() -> Result<void> { throw std::out_of_range("beyond"); });
  EXPECT_EQ(defect.error().code, ErrorCode::internal);
  EXPECT_NE(defect.error().message.find("beyond"), std::string::npos);
  EXPECT_EQ(caught([]() -> Result<void> { throw 7; }).error().code, ErrorCode::internal);
}

TEST(Caught, AnUncaughtOneOfAnyThreadEndsTheProgramWithWords) {
  EXPECT_EXIT(
      {
        end_with_words("plz-test", 125);
        std::jthread([] { throw std::bad_alloc(); }).join();
      },
      testing::ExitedWithCode(125), "plz-test: there is not enough memory: ");
}

}  // namespace
}  // namespace plz
