#include "model/json_number.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/text.h"

namespace plz {
namespace {

// In ascending order, sorted by Python's fractions.Fraction; those of a group are equal.
constexpr const char* kAscending =
    "-1e400 < -9007199254740993.0019e23 < -9007199254740992E13 < -85338815545075744265.090 < -7.9909E19 < "
    "-79847722798148636742.99009 < -79472477252298069091 < -36539024933104009346.00900 < -20462207235692518485 < "
    "-9223372036854775809 < -9223372036854775808 < -9007199254740994.1 < -9007199254740994 < -9007199254740993 < "
    "-9007199254740992 < -9007199254740991 < -9007199254740994.10e-1 < -9007199254740990e-2 < -759.00190e+9 < "
    "-98747850786883077557E-12 < -990 < -947 < -778.01990 < -296 < -198 < -8 < -7 < -6 < -1.1000 < -1 = -1.0 < "
    "-.5 = -0.5 < -0.099 < -30983087238949498576E-22 < -79e-6 < -1e-17 < -108e-23 < -1e-400 < "
    "0 = -0 = 0.0 = -0e5 = 0E-999 = 0E-10 = 0E+1 = 0e-19 < 1e-400 < 4.9e-324 < 5e-324 < 4.1009e-22 < 65.0E-20 < "
    "86e-16 < 0.0000001 = 1e-7 < 7e-4 < 0.009 < 0.09 < 0.1 = 1e-1 = 0.10 = 100e-3 = .1 = 1e-01 < "
    "0.1000000000000000000000000000000000001 < 0.1000000000000000055511151231257827 < 0.10009 < 0.3 < "
    "0.30000000000000004 < 0.9 = 0.009e2 < 0.90099 < 0.910 < 1 = 1.0 = 10e-1 = 0.1e1 = 1E0 < 225E-2 < 3.09 < 5. < "
    "6 < 7.0010 < 8 < 8.09000 < 9 < 10 < 11 < 3.011E1 < 9007199254740990E-14 < 91 < 99 < "
    "100 = 1e2 = 1E+2 = 1e+002 < 123.456 = 1.23456e2 = 123456e-3 = 123.4560 < 123.4561 < 154 < 208 < 300 < 365 < "
    "567 < 628 < 696 < 697 < 1E+4 < 156.10e2 < 3e+6 < 4e6 < 426E6 < 9007199254740994E-5 < 305.10e12 < 401e+13 < "
    "9007199254740990.0901 < 9007199254740990.90 < 9007199254740991 < 9007199254740992 = 9007199254740992.0 < "
    "9007199254740992.1100 < 9007199254740992.5 < 9007199254740992.9091 < "
    "9007199254740993 = 9.007199254740993e15 < 9007199254740994 < 9007199254740994.01 < 262e+15 < "
    "5200704002102353093.11009 < 9035664741427655382 < 9223372036854775806 < 9223372036854775807 < "
    "9223372036854775808 < 9223372036854775809 = 9223372036854775809.000 < 9790078857304150022 < "
    "12345678901234567890 < 12345678901234567891 < 16519842513007515511 < 18446744073709551615 < "
    "18446744073709551616 < 21193729701969056163.10190 < 33878278411601997361 < 52366672738156799993.09 < "
    "53611023207964796221 < 60607580806651293417 < 70845936056504433200 < 452e+19 < 6E21 < 695E+19 < "
    "9007199254740990e8 < 86983751479833743207e+7 < 76068991258792209642E11 < 51691835628340806374e12 < "
    "94619626306742330265E13 < 9007199254740991.1901e22 < 99591727068846541288e+19 < "
    "1234567890123456789012345678901234567890 < 1234567890123456789012345678901234567891 < "
    "50722531140096817075.00E22 < 9850509042309492114e+23 < 1e308 < 1.7976931348623157e308 < 1e309 < "
    "1e400 = 10e399 < 1e1999 < 9.99e1999 < 1e2000";

struct RankedNumber {
  std::string_view text;
  int rank;
};

std::vector<RankedNumber> ranked_numbers() {
  std::vector<RankedNumber> numbers;
  int rank = 0;
  for (std::string_view word : split(kAscending, ' ')) {
    if (word == "<") ++rank;
    else if (word != "=" && !word.empty()) numbers.push_back({word, rank});
  }
  return numbers;
}

TEST(JsonNumber, ComparesAsFractionsDo) {
  const auto numbers = ranked_numbers();
  ASSERT_GT(numbers.size(), 150u);
  for (const auto& a : numbers)
    for (const auto& b : numbers)
      EXPECT_TRUE(compare_json_numbers(a.text, b.text) == (a.rank <=> b.rank)) << a.text << " and " << b.text;
}

TEST(JsonNumber, ExponentsOfAnyLength) {
  const std::string huge = "1e1" + std::string(40, '0'), more = "1e1" + std::string(39, '0') + "1";
  EXPECT_TRUE(compare_json_numbers(huge, more) < 0);
  EXPECT_TRUE(compare_json_numbers("-" + huge, "-" + more) > 0);
  EXPECT_TRUE(compare_json_numbers("10e" + std::string(40, '9'), huge) == 0);
  EXPECT_TRUE(compare_json_numbers("0.1e" + more.substr(2), huge) == 0);
  EXPECT_TRUE(compare_json_numbers("11e" + std::string(40, '9'), huge) > 0);
  EXPECT_TRUE(compare_json_numbers("1e-1" + std::string(40, '0'), "1e-1" + std::string(18, '0')) < 0);
  EXPECT_TRUE(compare_json_numbers("0", "1e-1" + std::string(40, '0')) < 0);
  EXPECT_TRUE(compare_json_numbers("1e0000000000000000000000001", "9") > 0);
  EXPECT_TRUE(compare_json_numbers(std::string(100'000, '9'), "1e100000") < 0);
  EXPECT_TRUE(compare_json_numbers("1" + std::string(100'000, '0'), "1e100000") == 0);
  EXPECT_TRUE(compare_json_numbers("0." + std::string(99'999, '0') + "1", "1e-100000") == 0);
}

TEST(JsonNumber, Zero) {
  for (const char* zero : {"0", "-0", "0.000", "0e7", "-0.0E-7"}) EXPECT_TRUE(is_zero_json_number(zero)) << zero;
  for (const char* number : {"1", "1e-400", "-0.01"}) EXPECT_FALSE(is_zero_json_number(number)) << number;
}

}  // namespace
}  // namespace plz
