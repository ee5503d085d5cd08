// The program's own log (not a job's): one line an event, to stderr or to a file.
#pragma once

#include <string>
#include <string_view>

#include <fmt/core.h>

namespace plz {

enum class LogLevel { debug, info, warning, error, off };

// Call once, before threads. An empty path is stderr. The file is appended to.
void log_start(std::string_view program, const std::string& path, LogLevel level);
// Thread-safe. A line that cannot be written is dropped: logging never fails its caller.
void log_line(LogLevel level, std::string_view line);

template <typename... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::info, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace plz
