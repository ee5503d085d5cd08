#include "environment/docker/output_lines.h"

#include "base/text.h"

namespace plz {
namespace {

constexpr size_t kLongestLine = 8192;

}  // namespace

void OutputLines::feed(std::string_view text) {
  for (size_t end = text.find('\n'); end != text.npos; end = text.find('\n')) {
    partial_ += text.substr(0, end);
    finish();
    text.remove_prefix(end + 1);
  }
  partial_ += text;
  if (partial_.size() > kLongestLine) finish();
}

void OutputLines::finish() {
  std::string_view line = partial_;
  while (line.ends_with('\r')) line.remove_suffix(1);
  if (size_t over = line.rfind('\r'); over != line.npos) line.remove_prefix(over + 1);
  if (!line.empty()) tell(line);
  partial_.clear();
}

void OutputLines::tell(std::string_view line) {
  std::string clean = printable(line);
  say_(clean);
  last_.push_back(std::move(clean));
  if (last_.size() > kept_) last_.pop_front();
}

std::string OutputLines::last() const {
  std::string text;
  for (const std::string& line : last_) text += "\n  | " + line;
  return text;
}

}  // namespace plz
