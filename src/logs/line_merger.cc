#include "logs/line_merger.h"

namespace plz {
namespace {

constexpr size_t kEnoughWaiting = 64u << 10;

}  // namespace

void LineMerger::add(size_t part, std::string_view bytes, std::string& out) {
  bool somebody_talked = talking_.has_value();
  show(part, bytes, out);
  if (somebody_talked && !talking_) show_waiting(out);
}

void LineMerger::end(size_t part, std::string& out) {
  parts_[part].ended = true;
  add(part, {}, out);
}

bool LineMerger::wants(size_t part) const {
  return !talking_ || talking_ == part || parts_[part].held.size() < kEnoughWaiting;
}

// Whole lines go out; what follows the last newline is held, unless it is long or the log is at its end.
void LineMerger::show(size_t index, std::string_view more, std::string& out) {
  Part& part = parts_[index];
  size_t newline = more.rfind('\n');
  if (newline != more.npos) part.whole_lines = part.held.size() + newline + 1;
  part.held += more;
  if (talking_ && talking_ != index) return;

  bool in_line = talking_ == index && part.whole_lines == 0;
  talking_.reset();
  out.append(part.held, 0, part.whole_lines);
  part.held.erase(0, part.whole_lines);
  part.whole_lines = 0;
  if (!in_line && !part.ended && part.held.size() < kLongLine) return;
  bool open = in_line || !part.held.empty();
  out += part.held;
  part.held.clear();
  if (open && part.ended) out += '\n';
  else if (open) talking_ = index;
}

void LineMerger::show_waiting(std::string& out) {
  for (size_t i = 0; i < parts_.size() && !talking_; ++i) show(i, {}, out);
}

}  // namespace plz
