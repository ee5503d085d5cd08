#!/bin/bash
# Boost.JSON 1.81 (Debian 12, libboost1.81-dev 1.81.0-5+deb12u1). A double that is written with the 17 digits that identify it is read back as
# a neighbour in about one of five cases: the parser multiplies by a table of powers of ten in place of rounding exactly. No option of
# this version asks for exact reading. strtod of the same texts is always exact.
#
# Seen, of 100,000 numbers in [0, 1) that std::mt19937_64 drew after seed 1:
#   boost::json: 19017 differ, strtod: 0
set -euo pipefail
"$(dirname "$0")/with-packages" libboost1.81-dev=1.81.0-5+deb12u1 -- bash -euo pipefail -c '
cat > read.cc <<CODE
#include <boost/json/src.hpp>
#include <cstdio>
#include <cstdlib>
#include <random>
int main() {
  std::mt19937_64 generator(1);
  int boost_differs = 0, strtod_differs = 0;
  for (int i = 0; i < 100000; ++i) {
    double drawn = static_cast<double>(generator() >> 11) * 0x1p-53;
    char text[64];
    std::snprintf(text, sizeof text, "%.17g", drawn);
    boost_differs += boost::json::parse(text).to_number<double>() != drawn;
    strtod_differs += std::strtod(text, nullptr) != drawn;
  }
  std::printf("boost::json: %d differ, strtod: %d\n", boost_differs, strtod_differs);
}
CODE
env -u LD_LIBRARY_PATH g++ -O1 -I "$PACKAGES/usr/include" read.cc -o read
seen=$(./read)
echo "$seen"
[ "$seen" = "boost::json: 19017 differ, strtod: 0" ]
'
