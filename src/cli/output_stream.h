// Where results go: a descriptor, usually stdout, written without a buffer of its own.
#pragma once

#include <string_view>

#include "base/result.h"

namespace plz {

// Not thread-safe. SIGPIPE must be ignored.
class OutputStream {
 public:
  explicit OutputStream(int fd) : fd_(fd) {}
  // cancelled when the reader has gone (`plz history | head`): not worth a message. Other errors
  // say what the system said.
  Result<void> write(std::string_view bytes);
  bool reader_gone() const { return reader_gone_; }

 private:
  const int fd_;
  bool reader_gone_ = false;
};

}  // namespace plz
