#include "cli/where_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plz {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> unknown_names_in(std::string_view text) { return unknown_names_in(parse_where(text).value()); }

TEST(WhereNames, WhatExecutionsHaveIsKnown) {
  EXPECT_THAT(unknown_names_in("parameters.anything < 1 and not (measures.x.y exists or metadata.git.dirty)"),
              IsEmpty());
  EXPECT_THAT(unknown_names_in("exit_status = 3 or success or times.submitted > \"2026\""), IsEmpty());
}

TEST(WhereNames, AMisspeltOneGetsTheNearest) {
  EXPECT_THAT(unknown_names_in("paramters.lr < 0.1"),
              ElementsAre("no execution has \"paramters\": did you mean parameters?"));
}

TEST(WhereNames, EachIsToldOnceHoweverDeep) {
  EXPECT_THAT(unknown_names_in("zzzzzzzz = 1 or not (success and (zzzzzzzz = 2 or mesures.a > 1))"),
              ElementsAre("no execution has \"mesures\": did you mean measures?",
                          "no execution has \"zzzzzzzz\": `plz describe` shows what they have"));
}

}  // namespace
}  // namespace plz
