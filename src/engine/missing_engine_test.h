// Of tests that lack what a machine may lack: an engine, an image, a program. They are skipped, and say so; where all
// are to run, as in CI (PLZ_TESTS_ALL), they fail.
#pragma once

#include <cstdlib>

#include <gtest/gtest.h>

// Leaves the function. A statement: PLZ_SKIP_FOR_WANT_OF("an engine: …");
#define PLZ_SKIP_FOR_WANT_OF(what)                                                           \
  do {                                                                                       \
    const char* plz_tests_all = getenv("PLZ_TESTS_ALL");                                     \
    if (plz_tests_all && *plz_tests_all) GTEST_FAIL() << "PLZ_TESTS_ALL, and no " << (what); \
    GTEST_SKIP() << "SKIPPED, no " << (what);                                                \
  } while (false)
