#include "wire/measures_json.h"

#include <gtest/gtest.h>

#include "wire/json_text.h"
#include "wire/sample_values.h"

namespace plz {
namespace {

MeasureEvent event(std::string path, std::string value, uint64_t sequence = 1) {
  return {sequence, std::move(path), sample_time(0), JsonText{std::move(value)}, std::nullopt};
}

TEST(MeasuresJson, NestsByPath) {
  EXPECT_EQ(measures_object({}), "{}");
  EXPECT_EQ(measures_object({event("summary", "{\"loss\": NaN}"), event("epoch/10/loss", "0.10"),
                             event("epoch/9/loss", "0.2"), event("epoch/9/acc", "1")}),
            R"({"epoch": {"9": {"acc": 1, "loss": 0.2}, "10": {"loss": 0.10}}, "summary": {"loss":"NaN"}})");
}

TEST(MeasuresJson, TheLatestOfAPathCounts) {
  EXPECT_EQ(measures_object({event("a", "1"), event("b", "2"), event("a", "3")}), R"({"a": 3, "b": 2})");
}

TEST(MeasuresJson, APathMayBeValueAndDirectory) {
  EXPECT_EQ(measures_object({event("a", "1"), event("a/b", "2"), event("a/b/c", "3"), event("a-b", "4")}),
            R"({"a": {"": 1, "b": {"": 2, "c": 3}}, "a-b": 4})");
}

TEST(MeasuresJson, NamesAreAnyBytes) {
  std::string object = measures_object({event("1/01/x\n", "1"), event("1/1/\"", "2"), event("bad\xff", "3")});
  EXPECT_EQ(object, "{\"1\": {\"01\": {\"x\\n\": 1}, \"1\": {\"\\\"\": 2}}, \"bad\\\\xff\": 3}");
  EXPECT_TRUE(parse_json_text(object));
}

TEST(MeasuresJson, DeepPathsNeedNoStack) {
  std::string path;
  for (int i = 0; i < 100'000; ++i) path += "a/";
  EXPECT_EQ(measures_object({event(path + "b", "1")}).size(), 700'008u);
}

TEST(MeasuresJson, EventsKeepTheirExactText) {
  std::vector<MeasureEvent> events = {event("a", "{\"x\": 1.50,\n \"y\": 1e400}", 1), event("b", "[NaN,  1.0]", 2)};
  events[0].index = 4;
  std::string json = measure_events_to_json(events);
  EXPECT_EQ(json,
            "{\"events\": [{\"sequence\": 1, \"path\": \"a\", \"time\": \"2026-01-01T00:00:00.000000Z\", "
            "\"value\": {\"x\": 1.50,\n \"y\": 1e400}, \"index\": 4}, {\"sequence\": 2, \"path\": \"b\", "
            "\"time\": \"2026-01-01T00:00:00.000000Z\", \"value\": [\"NaN\",1.0], \"text\": \"[NaN,  1.0]\", "
            "\"index\": null}]}");
  auto back = measure_events_from_json(json);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, events);
}

TEST(MeasuresJson, ErrorsNameTheMember) {
  EXPECT_EQ(measure_events_from_json(R"({"events": [{"sequence": 1, "path": "a"}]})").error().message,
            "events[0].time is missing");
  EXPECT_EQ(measure_events_from_json(R"({"events": [{"sequence": 1, "path": "a", "time": )"
                                     R"("2026-01-01T00:00:00Z", "value": 1, "text": "nope"}]})")
                .error()
                .message,
            "events[0].text must be the JSON that a job wrote");
}

TEST(MeasuresJson, ALargeValueGoesThrough) {
  std::string value = "[1.0";
  while (value.size() < 5'000'000) value += ", 0.12345678901234567890";
  value += "]";
  auto back = measure_events_from_json(measure_events_to_json({event("big", value)}));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->at(0).value.text, value);
}

}  // namespace
}  // namespace plz
