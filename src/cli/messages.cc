#include "cli/messages.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/core.h>

#include "base/text.h"
#include "cli/configuration.h"
#include "os/fd.h"

namespace plz {
namespace {

constexpr auto kProgressDelay = std::chrono::seconds(1);
constexpr auto kProgressInterval = std::chrono::milliseconds(100);
constexpr std::string_view kRed = "\033[31m", kYellow = "\033[33m", kNormal = "\033[0m";
constexpr std::string_view kClearLine = "\r\033[K";

// Safe for a terminal, line by line.
std::string shown(std::string_view text, std::string_view indent) {
  std::string result;
  for (auto line : split(text, '\n')) {
    if (!result.empty()) result += fmt::format("\n{}", indent);
    result += printable(line);
  }
  return result;
}

size_t terminal_width(int fd) {
  winsize size{};
  return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

// At most `width` characters of it.
std::string_view cut(std::string_view text, size_t width) {
  size_t characters = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    bool begins = (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80;
    if (begins && ++characters > width) return text.substr(0, i);
  }
  return text;
}

}  // namespace

MessageStyle MessageStyle::of(int fd, bool use_emojis, const EnvironmentVariables& environment) {
  MessageStyle style;
  const std::string* term = find_variable(environment, "TERM");
  style.terminal = isatty(fd) && !(term && *term == "dumb");
  style.emojis = style.terminal && use_emojis;
  const std::string* no_color = find_variable(environment, "NO_COLOR");
  style.colours = style.terminal && !(no_color && !no_color->empty());
  return style;
}

Messages::Messages(int fd, MessageStyle style, const Clock& clock) : fd_(fd), style_(style), clock_(clock) {}

Messages::~Messages() { end_progress(); }

void Messages::info(std::string_view text) { say("👌 ", "=> ", "", text); }
void Messages::warning(std::string_view text) { say("✋ ", "** ", kYellow, text); }
void Messages::error(std::string_view text) { say("💥 ", "!! ", kRed, text); }

void Messages::error(const Error& error) {
  this->error(error.hint.empty() ? error.message : error.message + "\n" + error.hint);
}

void Messages::plain(std::string_view text) { say("", "", "", text); }

void Messages::say(std::string_view emoji, std::string_view plain, std::string_view colour, std::string_view text) {
  bool coloured = style_.colours && !colour.empty();
  std::string_view prefix = style_.emojis ? emoji : plain;
  std::string line = fmt::format("{}{}{}{}\n", coloured ? colour : "", prefix, shown(text, prefix.empty() ? "" : "   "),
                                 coloured ? kNormal : "");
  std::lock_guard lock(mutex_);
  clear_line();
  static_cast<void>(write_all(fd_, line));
}

void Messages::progress(std::string_view text) {
  if (!style_.terminal) return;
  std::lock_guard lock(mutex_);
  auto now = clock_.steady();
  if (!progress_began_) {
    progress_began_ = now;
    progress_shown_ = now;
  }
  if (now - *progress_began_ < kProgressDelay || now - progress_shown_ < kProgressInterval) return;
  progress_shown_ = now;
  std::string line = printable(text);
  static_cast<void>(write_all(fd_, fmt::format("{}{}", kClearLine, cut(line, terminal_width(fd_) - 1))));
  line_shown_ = true;
}

void Messages::end_progress() {
  std::lock_guard lock(mutex_);
  clear_line();
  progress_began_.reset();
}

void Messages::clear_line() {
  if (!line_shown_) return;
  static_cast<void>(write_all(fd_, kClearLine));
  line_shown_ = false;
}

}  // namespace plz
