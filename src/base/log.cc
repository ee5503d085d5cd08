#include "base/log.h"

#include <memory>

#include <fcntl.h>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace plz {
namespace {

std::shared_ptr<spdlog::logger>& logger() {
  static std::shared_ptr<spdlog::logger> instance;
  return instance;
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::off: return spdlog::level::off;
  }
  return spdlog::level::info;
}

spdlog::file_event_handlers not_for_children() {
  spdlog::file_event_handlers handlers;
  handlers.after_open = [](const spdlog::filename_t&, FILE* file) { fcntl(fileno(file), F_SETFD, FD_CLOEXEC); };
  return handlers;
}

}  // namespace

void log_start(std::string_view program, const std::string& path, LogLevel level) {
  std::shared_ptr<spdlog::sinks::sink> sink;
  try {
    if (path.empty()) sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    else sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path, false, not_for_children());
  } catch (const spdlog::spdlog_ex&) {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  }
  logger() = std::make_shared<spdlog::logger>(std::string(program), std::move(sink));
  logger()->set_level(spdlog_level(level));
  logger()->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %n[%P] %v", spdlog::pattern_time_type::utc);
  logger()->flush_on(spdlog::level::debug);
  // A full disk must not end the program, nor fill another log with complaints.
  logger()->set_error_handler([](const std::string&) {});
}

void log_line(LogLevel level, std::string_view line) {
  if (logger()) logger()->log(spdlog_level(level), line);
}

}  // namespace plz
