#include "runtime/attempt_records.h"

#include <csignal>

#include <gtest/gtest.h>

#include "init/contract.h"

namespace plz {
namespace {

constexpr char kStart[] = "plz-init-start 1\nstarted_realtime_us 1000000\nstarted_boottime_us 5\nboot_id b1\nend\n";

AttemptRecord exit_record(const std::string& lines) {
  auto record = parse_attempt_record(
      "plz-init-exit 1\nstarted_realtime_us 1000000\nstarted_boottime_us 500\n"
      "ended_realtime_us 7\nended_boottime_us 700\n" +
          lines + "end\n",
      init::kExitMagic);
  return record.value_or(AttemptRecord());
}

ExitReport report_of(const std::string& lines, OomKills kills = std::nullopt) {
  AttemptRecords records;
  records.exit = exit_record(lines);
  return exit_report(records, kills);
}

TEST(AttemptRecord, IsAbsentUntilItsLastLine) {
  std::string whole = kStart;
  EXPECT_TRUE(parse_attempt_record(whole, init::kStartMagic));
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_attempt_record(whole.substr(0, size), init::kStartMagic)) << size;
  EXPECT_FALSE(parse_attempt_record(whole + "more\n", init::kStartMagic));
  EXPECT_FALSE(parse_attempt_record(whole, init::kExitMagic));
}

TEST(ExitReport, DistinguishesOutcomes) {
  EXPECT_EQ(report_of("outcome exited\nstatus 0\n").outcome.kind, OutcomeKind::succeeded);
  EXPECT_EQ(report_of("outcome exited\nstatus 3\n").outcome, (Outcome{OutcomeKind::exited, 3}));
  EXPECT_EQ(report_of("outcome signalled\nsignal 11\n").outcome, (Outcome{OutcomeKind::signalled, 139, 11}));
  EXPECT_EQ(report_of("outcome not_started\nstatus 127\nreason x: command not found\n").outcome,
            (Outcome{OutcomeKind::could_not_start, 127, std::nullopt, false, "x: command not found"}));
}

TEST(ExitReport, SaysWhatCouldNotBeGiven) {
  const auto outcome = report_of("outcome exited\nstatus 0\nnot_given niceness 0 (it has 5)\n").outcome;
  EXPECT_EQ(outcome.reason, "of what the submitting shell has, this could not be given: niceness 0 (it has 5)");
  EXPECT_TRUE(outcome.succeeded());
}

TEST(ExitReport, MeasuresByTheClockThatDoesNotJump) {
  auto report = report_of("outcome exited\nstatus 0\n");
  EXPECT_EQ(*report.ended - *report.started, std::chrono::microseconds(200));
  EXPECT_EQ(report.ended_boot_time, std::chrono::microseconds(700));
}

TEST(ExitReport, SuspectsALackOfMemory) {
  auto suspected = report_of("outcome signalled\nsignal 9\noom_kills 1\n").outcome;
  EXPECT_FALSE(suspected.out_of_memory);
  EXPECT_TRUE(suspected.reason.starts_with("probably out of memory")) << suspected.reason;
  EXPECT_EQ(report_of("outcome signalled\nsignal 9\noom_kills 0\n").outcome.reason, "");
  EXPECT_EQ(report_of("outcome signalled\nsignal 15\noom_kills 1\n").outcome.reason, "");
}

TEST(ExitReport, KnowsOfALackOfMemoryFromTheCgroup) {
  auto outcome = report_of("outcome signalled\nsignal 9\noom_kills 1\n", 1).outcome;
  EXPECT_TRUE(outcome.out_of_memory);
  EXPECT_TRUE(outcome.reason.starts_with("out of memory")) << outcome.reason;
  // One of its processes was killed, but it went on and ended well.
  EXPECT_FALSE(report_of("outcome exited\nstatus 0\n", 1).outcome.out_of_memory);
  // The cgroup says that it was not this job.
  EXPECT_EQ(report_of("outcome signalled\nsignal 9\noom_kills 1\n", 0).outcome.reason, "");
}

TEST(ExitReport, SaysWhyNothingWasStarted) {
  AttemptRecords records;
  records.errors = std::string("plz-init: ") + init::kNoOverlayNote + ": x\nbwrap: Can't find source path /x\n";
  auto outcome = exit_report(records, std::nullopt).outcome;
  EXPECT_EQ(outcome.kind, OutcomeKind::could_not_start);
  EXPECT_EQ(outcome.reason, "bwrap: Can't find source path /x");
}

TEST(ExitReport, SaysHowAnAttemptWasLost) {
  AttemptRecords records;
  records.start = parse_attempt_record(kStart, init::kStartMagic);
  records.boot_id = "b1";
  EXPECT_NE(exit_report(records, std::nullopt).outcome.reason.find("was killed"), std::string::npos);
  records.boot_id = "b2";
  auto report = exit_report(records, std::nullopt);
  EXPECT_EQ(report.outcome.kind, OutcomeKind::lost);
  EXPECT_NE(report.outcome.reason.find("restarted"), std::string::npos);
  EXPECT_EQ(report.started, Timestamp(std::chrono::seconds(1)));
}

}  // namespace
}  // namespace plz
