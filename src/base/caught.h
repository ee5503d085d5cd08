// Exceptions of libraries and of the system, as errors: plz itself throws none.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"

namespace plz {

// Of the exception that is being handled. unavailable: memory or a thread lacks, and what to do; internal: all others.
Error error_of_exception();

// What the function returns, a Result, or the error of what it throws.
template <typename Function>
auto caught(Function&& function) -> decltype(function()) {
  try {
    return std::forward<Function>(function)();
  } catch (...) {
    return fail(error_of_exception());
  }
}

// For a program's main: whatever nobody has caught, on any thread, ends the program with that status and with words on
// stderr, and in the log where it has one, in place of an abort. Call it first.
void end_with_words(const char* program, int status);
void add_last_words_to(const std::string& log_file);

}  // namespace plz
