// The framings of the engine's long answers. Pure; fed piece by piece as the bytes come.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace plz {

// JSON objects, one a line, ended by \n or \r\n. Empty lines are skipped.
class JsonLines {
 public:
  using OnLine = std::function<Result<void>(std::string_view)>;
  explicit JsonLines(OnLine on_line) : on_line_(std::move(on_line)) {}
  Result<void> feed(std::string_view piece);
  Result<void> finish();  // a last line may lack its end

 private:
  Result<void> take(std::string_view line);
  OnLine on_line_;
  std::string rest_;
};

// The log of a container without a terminal: frames of a head of 8 bytes (stream: 0 to 2; three zeros;
// the length, big-endian) and as many bytes of it.
class LogFrames {
 public:
  using OnBytes = std::function<Result<void>(std::string_view)>;
  explicit LogFrames(OnBytes on_bytes) : on_bytes_(std::move(on_bytes)) {}
  // unavailable: these are no such frames.
  Result<void> feed(std::string_view piece);
  bool at_boundary() const { return left_ == 0 && head_.empty(); }

 private:
  Result<void> read_head();
  OnBytes on_bytes_;
  std::string head_;
  uint32_t left_ = 0;
};

}  // namespace plz
