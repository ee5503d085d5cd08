// Tells a person what is printed while the environment of an execution is prepared.
#pragma once

#include <string>
#include <string_view>

#include "cli/messages.h"
#include "model/preparation_line.h"

namespace plz {

// Lines of plz's own are messages in its voice; the engine's are shown as they are, or with
// `quiet_build` not at all. Not thread-safe.
class PreparationDisplay {
 public:
  // `messages` outlives it.
  PreparationDisplay(Messages& messages, bool quiet_build) : messages_(messages), quiet_build_(quiet_build) {}

  // The next bytes of the log: not whole lines, perhaps.
  void feed(std::string_view bytes);
  // There is no more: a last line that is not whole is shown, too.
  void end();

 private:
  void show(const PreparationLine& line);
  void announce();

  Messages& messages_;
  const bool quiet_build_;
  bool announced_ = false;
  std::string unfinished_;  // the beginning of a line
};

}  // namespace plz
