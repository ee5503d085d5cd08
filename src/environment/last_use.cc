#include "environment/last_use.h"

#include "base/log.h"
#include "base/text.h"
#include "os/file.h"

namespace plz {

Result<void> LastUse::touch(const std::string& image_id) {
  std::lock_guard lock(mutex_);
  Times times = read();
  Timestamp& time = times[image_id];
  const Timestamp now = clock_.now();
  if (time <= now && now - time < std::chrono::minutes(1)) return {};
  time = now;
  return write(times);
}

Timestamp LastUse::of(const std::string& image_id) {
  std::lock_guard lock(mutex_);
  Times times = read();
  auto [time, is_new] = times.try_emplace(image_id, clock_.now());
  if (auto written = is_new ? write(times) : Result<void>(); !written) log_warning("{}", written.error().message);
  return time->second;
}

Result<void> LastUse::forget(const std::string& image_id) {
  std::lock_guard lock(mutex_);
  Times times = read();
  return times.erase(image_id) > 0 ? write(times) : Result<void>();
}

// A line is an id, a blank, and the time; others are passed over.
LastUse::Times LastUse::read() const {
  Times times;
  auto text = read_file_if_exists(path_);
  if (!text || !*text) return times;
  for (std::string_view line : split(**text, '\n')) {
    size_t blank = line.find(' ');
    if (blank == line.npos) continue;
    if (auto time = parse_rfc3339(line.substr(blank + 1))) times[std::string(line.substr(0, blank))] = *time;
  }
  return times;
}

Result<void> LastUse::write(const Times& times) const {
  std::string text;
  for (const auto& [image_id, time] : times) text += image_id + " " + format_rfc3339(time) + "\n";
  PLZ_TRY(make_directories(parent_path(path_)));
  return write_file_atomically(path_, text, 0600, Sync::no);
}

}  // namespace plz
