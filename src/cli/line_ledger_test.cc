#include "cli/line_ledger.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

TEST(LineLedger, ShowsWholeLinesOnly) {
  LineLedger ledger;
  EXPECT_EQ(ledger.admit("a\nb"), "a\n");
  EXPECT_EQ(ledger.admit("c\n"), "bc\n");
  EXPECT_EQ(ledger.admit("end"), "");
  EXPECT_EQ(ledger.rest(), "end");
  EXPECT_EQ(ledger.rest(), "");
}

TEST(LineLedger, ShowsEachLineAsOftenAsItOccurs) {
  LineLedger ledger;
  EXPECT_EQ(ledger.admit("a\na\nb\ncut o"), "a\na\nb\n");
  ledger.restart();
  EXPECT_EQ(ledger.admit("b\na\nc\na\na\ncut off\n"), "c\na\ncut off\n");
  ledger.restart();
  EXPECT_EQ(ledger.admit("a\na\na\nb\nc\ncut off\nnew\n"), "new\n");
}

TEST(LineLedger, AnUnfinishedLineIsNotShownTwice) {
  LineLedger ledger;
  EXPECT_EQ(ledger.admit("x\nlast"), "x\n");
  ledger.restart();
  EXPECT_EQ(ledger.admit("last"), "");
  EXPECT_EQ(ledger.admit("\nx\n"), "last\n");
}

}  // namespace
}  // namespace plz
