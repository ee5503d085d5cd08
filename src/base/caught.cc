#include "base/caught.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <system_error>

namespace plz {
namespace {

const char* program_name = "plz";
int last_status = 125;
char log_path[4096];

void say(int fd, const char* text) {
  for (size_t left = strlen(text); left > 0;) {
    ssize_t n = write(fd, text, left);
    if (n <= 0) return;
    text += n;
    left -= static_cast<size_t>(n);
  }
}

// Without the heap, which may be what lacks. A program for people says it as it says other errors.
void say_words(int fd, const char* words, const char* hint) {
  char text[1024];
  const bool for_people = strcmp(program_name, "plz") == 0;
  snprintf(text, sizeof text, "%s%s%s%s%s\n", for_people ? "!! " : program_name, for_people ? "" : ": ", words,
           *hint ? (for_people ? "\n   " : ": ") : "", hint);
  say(fd, text);
}

struct Words {
  ErrorCode code;
  char text[400];
  char hint[300];
};

void describe_limit(char* hint, size_t size) {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    snprintf(hint, size, "`ulimit -v` allows %llu MiB here: start it from a shell that allows more",
             static_cast<unsigned long long>(limit.rlim_cur >> 20));
  else snprintf(hint, size, "end something else that takes memory, and try again: `ulimit -v` limits nothing here");
}

Words words_of_exception() {
  Words words{ErrorCode::internal, "", ""};
  try {
    throw;
  } catch (const std::bad_alloc&) {
    words.code = ErrorCode::unavailable;
    snprintf(words.text, sizeof words.text, "there is not enough memory");
    describe_limit(words.hint, sizeof words.hint);
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::resource_unavailable_try_again || error.code() == std::errc::not_enough_memory) {
      words.code = ErrorCode::unavailable;
      snprintf(words.text, sizeof words.text, "a thread cannot be started: %s", strerror(error.code().value()));
      snprintf(words.hint, sizeof words.hint,
               "`ulimit -u` says how many this user may have, and `ulimit -v` how much memory they may take: end other "
               "processes, or start it from a shell that allows more");
    } else {
      snprintf(words.text, sizeof words.text, "a defect: %s", error.what());
    }
  } catch (const std::exception& exception) {
    snprintf(words.text, sizeof words.text, "a defect: %s", exception.what());
  } catch (...) {
    snprintf(words.text, sizeof words.text, "a defect: an exception of an unknown type");
  }
  return words;
}

[[noreturn]] void end_program() {
  Words words{ErrorCode::internal, "a defect: nothing could go on", ""};
  if (std::current_exception()) words = words_of_exception();
  say_words(STDERR_FILENO, words.text, words.hint);
  if (int fd = *log_path ? open(log_path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1; fd >= 0)
    say_words(fd, words.text, words.hint);
  _exit(last_status);
}

}  // namespace

Error error_of_exception() {
  const Words words = words_of_exception();
  return {words.code, words.text, words.hint};
}

void end_with_words(const char* program, int status) {
  program_name = program;
  last_status = status;
  std::set_terminate(end_program);
}

void add_last_words_to(const std::string& log_file) {
  if (log_file.size() < sizeof log_path) memcpy(log_path, log_file.c_str(), log_file.size() + 1);
}

}  // namespace plz
