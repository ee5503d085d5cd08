// What plz says to the person, on stderr. Results go to stdout and not through here.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "model/execution.h"

namespace plz {

struct MessageStyle {
  bool terminal = false;  // progress lines may be rewritten in place
  bool emojis = false;
  bool colours = false;

  // What suits a descriptor: everything on a terminal, plain text elsewhere. NO_COLOR and TERM=dumb
  // are honoured.
  static MessageStyle of(int fd, bool use_emojis, const EnvironmentVariables& environment);
};

// Thread-safe. A message that cannot be written is dropped: a closed stderr fails nothing.
class Messages {
 public:
  // `fd` and `clock` outlive it.
  Messages(int fd, MessageStyle style, const Clock& clock);
  ~Messages();  // clears the progress line

  void info(std::string_view text);     // "👌 text" or "=> text"
  void warning(std::string_view text);  // "** text"
  void error(std::string_view text);    // "!! text"
  void error(const Error& error);       // its message, and its hint indented on the next line
  void plain(std::string_view text);    // no prefix: the summary, the list of files, the empty line

  // Tells how something that may last is getting on: "Hashed 1.5 GiB of 3 GiB". Shown on a terminal
  // only, from one second after the first call on, at most ten times a second, cut to the width.
  // Any message clears it.
  void progress(std::string_view text);
  // The thing that progress() told of is over: the line is cleared, the next call starts anew.
  void end_progress();

 private:
  void say(std::string_view emoji, std::string_view plain, std::string_view colour, std::string_view text);
  void clear_line();

  std::mutex mutex_;
  const int fd_;
  const MessageStyle style_;
  const Clock& clock_;
  bool line_shown_ = false;
  std::optional<SteadyTime> progress_began_;
  SteadyTime progress_shown_;
};

}  // namespace plz
