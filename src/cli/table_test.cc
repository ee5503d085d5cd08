#include "cli/table.h"

#include <gtest/gtest.h>

#include "cli/history_table.h"

namespace plz {
namespace {

TEST(Table, AlignsColumnsByCharacters) {
  Table table({"name", "n"});
  table.add({{"name", "é"}, {"n", "1"}});
  table.add({{"name", "long"}, {"more", "x"}});
  EXPECT_EQ(table.as_text(), "name  n  more\né     1\nlong     x\n");
}

TEST(Table, CutsLongCellsAndShowsControlCharacters) {
  Table table({"a"});
  table.add({{"a", "éééééé"}});
  table.add({{"a", "b\nc"}});
  EXPECT_EQ(table.as_text(4), "a\nééé…\nb\\x…\n");
}

TEST(Table, QuotesForCsv) {
  Table table({"a", "b"});
  table.add({{"a", "plain"}, {"b", "with, comma"}});
  table.add({{"a", "a \"quote\""}, {"b", "two\nlines"}});
  EXPECT_EQ(table.as_csv(), "a,b\nplain,\"with, comma\"\n\"a \"\"quote\"\"\",\"two\nlines\"\n");
}

const char* const kDocument =
    R"({"execution_id": "e1", "user": "ada", "project": "digits", "state": "finished", "exit_status": 0,)"
    R"( "outcome": {"kind": "succeeded"}, "times": {"submitted": "2026-03-01T12:00:00Z"},)"
    R"( "durations": {"running": 1.5}, "parameters": {"optimizer": {"lr": 1e-3}, "layers": [1, 2]},)"
    R"( "measures": {"summary": {"accuracy": 0.910}}})";

TEST(HistoryTable, FlattensParametersAndSummary) {
  HistoryTable history;
  const std::string line = std::string(kDocument) + "\n";
  history.feed(line.substr(0, 50));
  history.feed(line.substr(50) + R"({"execution_id": "e2", "measures": {"summary": 7}})" + "\n");
  EXPECT_EQ(history.table().as_csv(),
            "execution_id,submitted,user,project,state,outcome,exit_status,running_seconds,"
            "parameters.optimizer.lr,"
            "parameters.layers,measures.summary.accuracy,measures.summary\n"
            "e1,2026-03-01T12:00:00Z,ada,digits,finished,succeeded,0,1.5,1e-3,\"[1, 2]\",0.910,\n"
            "e2,,,,,,,,,,,7\n");
}

}  // namespace
}  // namespace plz
