#include "engine/engine_streams.h"

#include <algorithm>

#include "base/text.h"

namespace plz {
namespace {

constexpr size_t kMaxLineBytes = 16u << 20;
constexpr size_t kHeadBytes = 8;

}  // namespace

Result<void> JsonLines::feed(std::string_view piece) {
  for (size_t end; (end = piece.find('\n')) != piece.npos; piece.remove_prefix(end + 1)) {
    if (rest_.empty()) {
      PLZ_TRY(take(piece.substr(0, end)));
      continue;
    }
    rest_ += piece.substr(0, end);
    std::string line = std::move(rest_);
    rest_.clear();
    PLZ_TRY(take(line));
  }
  if (rest_.size() + piece.size() > kMaxLineBytes)
    return fail(ErrorCode::unavailable, "the engine sends a line of more than 16 MiB");
  rest_ += piece;
  return {};
}

Result<void> JsonLines::finish() {
  std::string line = std::move(rest_);
  rest_.clear();
  return take(line);
}

Result<void> JsonLines::take(std::string_view line) {
  line = trim(line);
  return line.empty() ? Result<void>{} : on_line_(line);
}

Result<void> LogFrames::feed(std::string_view piece) {
  while (!piece.empty()) {
    if (left_ == 0) {
      size_t part = std::min(kHeadBytes - head_.size(), piece.size());
      head_ += piece.substr(0, part);
      piece.remove_prefix(part);
      if (head_.size() == kHeadBytes) PLZ_TRY(read_head());
      continue;
    }
    std::string_view part = piece.substr(0, left_);
    PLZ_TRY(on_bytes_(part));
    left_ -= static_cast<uint32_t>(part.size());
    piece.remove_prefix(part.size());
  }
  return {};
}

Result<void> LogFrames::read_head() {
  auto byte = [&](size_t at) { return static_cast<uint32_t>(static_cast<unsigned char>(head_[at])); };
  bool is_head = byte(0) <= 2 && byte(1) == 0 && byte(2) == 0 && byte(3) == 0;
  if (!is_head)
    return fail(ErrorCode::unavailable, "the engine's log is not framed as that of a container without a terminal");
  left_ = byte(4) << 24 | byte(5) << 16 | byte(6) << 8 | byte(7);
  head_.clear();
  return {};
}

}  // namespace plz
