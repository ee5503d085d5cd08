#include "model/ids.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

TEST(Ids, APreparationLogIsNamedByItsAttempt) {
  AttemptId attempt = *AttemptId::parse("019aab9e-3c6f-7d52-9d0f-0a4f2f1f7c11");
  EXPECT_EQ(preparation_log_of(attempt).to_string(), "019aab9e-3c6f-8d52-9d0f-0a4f2f1f7c11");
}

}  // namespace
}  // namespace plz
