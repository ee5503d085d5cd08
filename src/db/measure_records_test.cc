#include "db/database_contract.h"

namespace plz {
namespace {

class MeasureRecordsTest : public DatabaseContract {};

TEST_P(MeasureRecordsTest, LatestMeasures) {
  Attempt attempt = attempt_of(create(sample_execution(clock_)));
  ASSERT_TRUE(measures().append(
      attempt.execution_id, attempt.id,
      {sample_event(1, "summary", "{}"), sample_event(2, "e/loss", "1"), sample_event(3, "e/loss", "NaN"),
       sample_event(4, "e.x", "2"), sample_event(5, "e", "\"\xc3\xa9\""), sample_event(6, "a", "6", 1),
       sample_event(7, "a", "7", 0), sample_event(8, "e0", "8")}));
  EXPECT_EQ(latest(attempt.id),
            (Texts{"e=\"\xc3\xa9\"", "e.x=2", "e/loss=NaN", "e0=8", "summary={}", "0#a=7", "1#a=6"}));
  EXPECT_EQ(latest(attempt.id, "e"), (Texts{"e=\"\xc3\xa9\"", "e/loss=NaN"}));
  EXPECT_EQ(latest(attempt.id, "e/loss"), (Texts{"e/loss=NaN"}));
  EXPECT_EQ(latest(attempt.id, "zzz"), (Texts{}));
  EXPECT_EQ(latest(AttemptId::make(clock_)), (Texts{}));
  int seen = 0;
  ASSERT_TRUE(measures().latest(attempt.id, "", [&](const MeasureEvent&) { return ++seen < 2; }));
  EXPECT_EQ(seen, 2);
}

TEST_P(MeasureRecordsTest, RepeatedMeasuresAreSkipped) {
  Attempt attempt = attempt_of(create(sample_execution(clock_)));
  auto append = [&](const std::vector<MeasureEvent>& events) {
    return measures().append(attempt.execution_id, attempt.id, events);
  };
  ASSERT_TRUE(append({sample_event(1, "a", "1"), sample_event(3, "a", "3")}));
  ASSERT_TRUE(append({sample_event(1, "a", "again"), sample_event(2, "a", "2"), sample_event(3, "b", "again")}));
  EXPECT_EQ(latest(attempt.id), (Texts{"a=3"}));
  EXPECT_EQ(*measures().last_sequence(attempt.id), 3u);
  EXPECT_EQ(measures().append(attempt.execution_id, AttemptId::make(clock_), {}).error().code, ErrorCode::not_found);
  EXPECT_EQ(measures().append(ExecutionId::make(clock_), attempt.id, {}).error().code, ErrorCode::not_found);
}

TEST_P(MeasureRecordsTest, MeasureEventsInOrder) {
  Attempt attempt = attempt_of(create(sample_execution(clock_)));
  MeasureEvent a1 = sample_event(1, "a", "1"), b2 = sample_event(2, "b", "2", 9), a3 = sample_event(3, "a", "3");
  ASSERT_TRUE(measures().append(attempt.execution_id, attempt.id, {b2, a3, a1}));
  EXPECT_EQ(*measures().events(attempt.id, std::nullopt, 0, 10), (Events{a1, b2, a3}));
  EXPECT_EQ(*measures().events(attempt.id, std::nullopt, 1, 1), (Events{b2}));
  EXPECT_EQ(*measures().events(attempt.id, "a", 0, 10), (Events{a1, a3}));
  EXPECT_EQ(*measures().events(attempt.id, "a", 1, 10), (Events{a3}));
  EXPECT_EQ(*measures().events(AttemptId::make(clock_), std::nullopt, 0, 10), (Events{}));
}

PLZ_FOR_ALL_DATABASES(MeasureRecordsTest);

}  // namespace
}  // namespace plz
