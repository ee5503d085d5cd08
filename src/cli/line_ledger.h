// Which lines of a stream were shown, so that the same lines, sent again in whatever order, are
// shown once each. Memory: some bytes for each different line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace plz {

class LineLedger {
 public:
  // The whole lines that are complete with this piece and were not shown before the last restart().
  std::string admit(std::string_view piece);
  // The stream begins anew: an unfinished line is forgotten.
  void restart();
  // The stream has ended: what stands without a line's end, unless it was shown.
  std::string rest();

 private:
  void take_line(std::string_view line, std::string& shown);

  std::unordered_map<uint64_t, uint64_t> shown_, to_come_again_;  // by the line's hash: how often
  std::string unfinished_;
};

}  // namespace plz
