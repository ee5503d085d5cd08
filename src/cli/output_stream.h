// Where results go: a descriptor, usually stdout, written without a buffer of its own.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"

namespace plz {

// Not thread-safe. SIGPIPE must be ignored.
class OutputStream {
 public:
  explicit OutputStream(int fd) : fd_(fd) {}
  // cancelled when the reader has gone (`plz history | head`): not worth a message. Other errors
  // say what the system said; they are `internal`, since neither the connection nor another try is to blame.
  Result<void> write(std::string_view bytes);
  bool is_terminal() const;
  bool reader_gone() const { return reader_gone_; }
  // What could not be written ends whoever writes, though the error went through others' hands.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  const int fd_;
  bool reader_gone_ = false;
  std::optional<Error> failure_;
};

}  // namespace plz
