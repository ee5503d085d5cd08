#include "controller/services/capacity_check.h"

#include <gtest/gtest.h>

namespace plz {
namespace {

constexpr uint64_t kGib = uint64_t{1} << 30;
const std::vector<Capacity> kTwo{{2, 8 * kGib, {}}, {1, 4 * kGib, {"GPU-0"}}};

TEST(WhyNeverMet, SaysWhatThereIs) {
  const struct {
    Resources wanted;
    std::vector<Capacity> there;
    std::string machine, instances;
  } rows[] = {
      {{200, 0, 0},
       {{2, kGib, {}}},
       "200 processors: this machine has 2",
       "200 processors: no instance has more than 2"},
      {{1.5, 0, 0},
       {{1, kGib, {}}},
       "1.5 processors: this machine has 1",
       "1.5 processors: no instance has more than 1"},
      {{1, 2 * kGib, 0},
       {{2, kGib, {}}},
       "2.0 GiB of memory: this machine has 1.0 GiB",
       "2.0 GiB of memory: no instance has more than 1.0 GiB"},
      {{1, 0, 1}, {{2, kGib, {}}}, "1 GPU: this machine has none", "1 GPU: no instance has any"},
      {{1, 0, 2}, {{2, kGib, {"a"}}}, "2 GPUs: this machine has 1", "2 GPUs: no instance has more than 1"},
      {{9, 0, 0}, kTwo, "9 processors: this machine has 2", "9 processors: no instance has more than 2"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(why_never_met(row.wanted, row.there, Among::this_machine), row.machine);
    EXPECT_EQ(why_never_met(row.wanted, row.there, Among::instances), row.instances);
  }
}

TEST(WhyNeverMet, OneHasToHaveAllOfIt) {
  EXPECT_EQ(why_never_met({2, 8 * kGib, 0}, kTwo, Among::instances), std::nullopt);
  EXPECT_EQ(why_never_met({1, 4 * kGib, 1}, kTwo, Among::instances), std::nullopt);
  EXPECT_EQ(why_never_met({2, 0, 1}, kTwo, Among::instances), "2 processors, 1 GPU: no instance has all of that");
  EXPECT_EQ(why_never_met({1, 6 * kGib, 1}, kTwo, Among::instances),
            "1 processor, 6.0 GiB of memory, 1 GPU: no instance has all of that");
}

}  // namespace
}  // namespace plz
