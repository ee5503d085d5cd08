// What a build prints, cut into lines, with the last of them kept for an error.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "environment/environments.h"

namespace plz {

// Not thread-safe. Of a line that a progress bar wrote over, the last state is told.
class OutputLines {
 public:
  explicit OutputLines(const Say& say, size_t kept = 20) : say_(say), kept_(kept) {}
  void feed(std::string_view text);
  void finish();             // also an unterminated line
  std::string last() const;  // "\n  | a line" for each of the last

 private:
  void tell(std::string_view line);

  const Say& say_;
  const size_t kept_;
  std::string partial_;
  std::deque<std::string> last_;
};

}  // namespace plz
