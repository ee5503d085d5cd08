#include "cli/preparation_display.h"

#include <utility>

namespace plz {
namespace {

// Of a line that was written over and over, only the last state is left on a terminal.
std::string_view last_state(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line.substr(line.rfind('\r') + 1);
}

}  // namespace

void PreparationDisplay::feed(std::string_view bytes) {
  for (;;) {
    const size_t end = bytes.find('\n');
    if (end == bytes.npos) break;
    unfinished_ += bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    show(parse_preparation_line(unfinished_));
    unfinished_.clear();
  }
  unfinished_ += bytes;
}

void PreparationDisplay::end() {
  if (!unfinished_.empty()) feed("\n");
  if (announced_) messages_.end_progress();
}

void PreparationDisplay::show(const PreparationLine& line) {
  if (line.voice == PreparationVoice::warning) return messages_.warning(line.text);
  announce();
  switch (line.voice) {
    case PreparationVoice::info: return messages_.info(line.text);
    case PreparationVoice::progress: return messages_.progress(line.text);
    default:
      if (!quiet_build_) messages_.plain(last_state(line.text));
  }
}

void PreparationDisplay::announce() {
  if (!std::exchange(announced_, true)) messages_.info("Preparing the environment");
}

}  // namespace plz
