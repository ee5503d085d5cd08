# Language, warnings, sanitizers, and what makes the build quick where it is installed.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# The static worker and the dynamic programs link the same objects.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
  message(FATAL_ERROR "plz needs g++ 12 or newer; this is ${CMAKE_CXX_COMPILER_VERSION}")
endif()
if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
  message(FATAL_ERROR "plz runs on Linux; this is ${CMAKE_SYSTEM_NAME}")
endif()

add_compile_options(-Wall -Wextra -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these falsely of std::string and std::optional when it optimises (GCC bug 105651).
  add_compile_options(-Wno-restrict -Wno-maybe-uninitialized)
  # It takes what is private to a source for shared where sources are compiled together.
  add_compile_options(-Wno-subobject-linkage)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  # Line numbers for stack traces, without the weight of full debug information.
  string(REPLACE "-g" "-g1" CMAKE_CXX_FLAGS_DEBUG "${CMAKE_CXX_FLAGS_DEBUG}")
endif()

find_program(PLZ_CCACHE ccache)
if(PLZ_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Depend mode: what is not in the cache yet is not preprocessed for it first. The sloppiness is what
  # ccache asks for, to cache what is compiled with a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_DEPEND=1 CCACHE_SLOPPINESS=pch_defines,time_macros ${PLZ_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()
find_program(PLZ_MOLD mold)
if(PLZ_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# With sanitizers, by clang: it compiles them in half of g++'s time, in less with precompiled headers, which
# gain nothing with g++, and in half of that without optimisation.
if(PLZ_SANITIZE)
  add_compile_options(-fsanitize=${PLZ_SANITIZE} -fno-omit-frame-pointer)
  add_compile_definitions(PLZ_SANITIZED)
  add_link_options(-fsanitize=${PLZ_SANITIZE})
endif()
set(PLZ_PRECOMPILE OFF)
if((PLZ_SANITIZE OR PLZ_QUICK) AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  set(PLZ_PRECOMPILE ON)
endif()
if(PLZ_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined)
  add_compile_definitions(PLZ_SANITIZED)
  add_link_options(-fsanitize=address,undefined)
endif()
