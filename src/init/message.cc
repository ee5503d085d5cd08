#include "init/message.h"

#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace plz::init {

void complain(const char* format, ...) {
  char line[4096];
  int prefix = snprintf(line, sizeof line, "plz-init: ");
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(line + prefix, sizeof line - static_cast<size_t>(prefix) - 1, format, arguments);
  va_end(arguments);
  size_t size = static_cast<size_t>(prefix) + static_cast<size_t>(n < 0 ? 0 : n);
  if (size > sizeof line - 2) size = sizeof line - 2;
  line[size++] = '\n';
  if (write(STDERR_FILENO, line, size) < 0) return;  // there is nobody else to tell
}

void complain_errno(const char* what, const char* path) {
  int error = errno;
  complain("%s%s%s: %s", what, path ? " " : "", path ? path : "", strerror(error));
  errno = error;
}

}  // namespace plz::init
