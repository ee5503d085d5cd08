# Headers that most files include, parsed once: for what is compiled with sanitizers (PlzToolchain).
# plz_precompiled serves the libraries, plz_precompiled_test the tests.
function(plz_precompile target precompiled)
  if(PLZ_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${precompiled})
  endif()
endfunction()

# What is tested is optimised, or watched for undefined behaviour; its tests compile in half the time without.
set(PLZ_TEST_OPTIONS -O0)
if(PLZ_SANITIZE)
  list(APPEND PLZ_TEST_OPTIONS -fno-sanitize=undefined)
endif()

if(PLZ_PRECOMPILE)
  # ccache: the cached result must not depend on when the header was compiled.
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
  set(headers
      <algorithm> <array> <atomic> <charconv> <chrono> <condition_variable> <cstdint> <cstdlib> <cstring> <deque>
      <functional> <future> <map> <memory> <mutex> <optional> <set> <span> <stop_token> <string> <string_view>
      <thread> <tuple> <unordered_map> <unordered_set> <utility> <variant> <vector>
      <fmt/core.h> <nlohmann/json.hpp> <tl/expected.hpp>)
  file(WRITE "${PROJECT_BINARY_DIR}/precompiled/empty.cc" "")
  add_library(plz_precompiled OBJECT "${PROJECT_BINARY_DIR}/precompiled/empty.cc")
  target_precompile_headers(plz_precompiled PRIVATE ${headers})
  add_library(plz_precompiled_test OBJECT "${PROJECT_BINARY_DIR}/precompiled/empty.cc")
  target_link_libraries(plz_precompiled_test PRIVATE GTest::gmock)
  # As the tests themselves, which are programs.
  set_target_properties(plz_precompiled_test PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(plz_precompiled_test PRIVATE -fPIE ${PLZ_TEST_OPTIONS})
  target_precompile_headers(plz_precompiled_test PRIVATE ${headers} <gmock/gmock.h> <gtest/gtest.h>)
endif()
