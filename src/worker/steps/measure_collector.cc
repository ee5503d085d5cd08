#include "worker/steps/measure_collector.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/core.h>

#include "base/text.h"
#include "os/fd.h"
#include "wire/json_text.h"

namespace plz {
namespace {

using std::chrono::milliseconds;

constexpr size_t kFlushBytes = 1u << 20;
// The log, and whoever wants an end, wait no longer for measures.
constexpr milliseconds kMoment{50};
// What is not JSON as it stands is looked at ever more rarely, until something tells that it has changed.
constexpr milliseconds kLongestPatience{5'000};
constexpr char kSummary[] = "summary";

MeasureStamp stamp_of(const struct stat& status) {
  auto nanoseconds = [](const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; };
  return {status.st_ino, static_cast<uint64_t>(status.st_size), nanoseconds(status.st_mtim),
          nanoseconds(status.st_ctim), 0};
}

std::string text_of(const std::string& path) { return is_valid_utf8(path) ? path : printable(path); }

}  // namespace

JsonText measure_value(std::string content) {
  if (is_measure_json(content)) {
    content.erase(static_cast<size_t>(trim(content).end() - std::string_view(content).begin()));
    content.erase(0, static_cast<size_t>(trim(content).begin() - std::string_view(content).begin()));
    return {std::move(content)};
  }
  return {"{\"base64_bytes\": \"" + base64(content) + "\"}"};
}

MeasureCollector::MeasureCollector(std::string directory, std::vector<MeasureRoot> roots, MeasureLog& log,
                                   const Clock& clock, const MeasureLimits& limits)
    : roots_(std::move(roots)),
      limits_(limits),
      log_(log),
      clock_(clock),
      watcher_(std::move(directory), roots_, limits_, clock,
               [this](size_t root, std::string path, bool closed, const struct stat* status) {
                 seen(root, std::move(path), closed, status);
               }) {
  for (size_t root = 0; root < roots_.size(); ++root) root_of_[roots_[root].index] = root;
}

void MeasureCollector::know(const MeasureEvent& event, const MeasureStamp& stamp) {
  bytes_ += event.path.size() + stamp.bytes;
  if (auto root = root_of_.find(event.index); root != root_of_.end()) known_[key(root->second, event.path)] = stamp;
}

void MeasureCollector::watch() {
  watcher_.begin();
  watcher_.look(clock_.steady() + kMoment);
}

void MeasureCollector::seen(size_t root, std::string path, bool closed, const struct stat* status) {
  std::string at = key(root, text_of(path));
  auto known = known_.find(at);
  if (status && known != known_.end() && known->second.same_file_state(stamp_of(*status))) return;
  if (known == known_.end() && known_.size() + pending_.size() >= limits_.files && path != kSummary) {
    too_many_files_ = true;
    return;
  }
  // Names that are shown alike are different files.
  if (path != std::string_view(at).substr(at.find('/') + 1)) at += '\0' + path;
  auto [entry, added] = pending_.try_emplace(std::move(at));
  Pending& pending = entry->second;
  if (added) {
    pending.root = root;
    pending.path = std::move(path);
  } else if (status && pending.stamp && pending.stamp->same_file_state(stamp_of(*status))) {
    return;
  }
  pending.closed = closed;
  pending.refused = false;
  pending.stamp.reset();
  if (status) pending.stamp = stamp_of(*status);
  pending.since = clock_.steady();
  pending.patience = kMeasureQuietTime;
  schedule(entry->first, pending, closed ? pending.since : pending.since + kMeasureQuietTime);
}

void MeasureCollector::schedule(const std::string& at, Pending& pending, SteadyTime due) {
  if (pending.due <= due) return;
  pending.due = due;
  agenda_.emplace(due, at);
}

Result<void> MeasureCollector::collect() {
  const SteadyTime until = clock_.steady() + kMoment;
  watcher_.drain();
  watcher_.look(until);
  PLZ_TRY(take_due(until));
  is_behind_ = watcher_.has_to_look() || (!agenda_.empty() && agenda_.begin()->first <= clock_.steady());
  return log_.flush();
}

Result<void> MeasureCollector::collect_rest(const std::stop_token& stop) {
  watcher_.drain();
  watcher_.look_at_all(stop);
  PLZ_TRY(take_all(stop));
  PLZ_TRY(log_.flush());
  if (stop.stop_requested()) return fail(ErrorCode::cancelled, "the worker is ending");
  return {};
}

Result<void> MeasureCollector::take_due(SteadyTime until) {
  // What is put off goes behind this moment.
  const SteadyTime now = clock_.steady();
  while (!agenda_.empty() && agenda_.begin()->first <= now) {
    auto first = agenda_.extract(agenda_.begin());
    const std::string& at = first.mapped();
    auto found = pending_.find(at);
    if (found == pending_.end() || found->second.due != first.key()) continue;
    Pending& pending = found->second;
    pending.due = SteadyTime::max();
    auto done = take(at, pending, false);
    if (!done) schedule(at, pending, now);
    PLZ_TRY(done);
    // It may have been written again while it was read.
    if (*done && pending.due == SteadyTime::max()) pending_.erase(at);
    if (log_.unflushed_bytes() >= kFlushBytes) PLZ_TRY(log_.flush());
    if (clock_.steady() > until) break;
  }
  return {};
}

Result<void> MeasureCollector::take_all(const std::stop_token& stop) {
  for (auto next = pending_.begin(); next != pending_.end() && !stop.stop_requested();) {
    PLZ_TRY(take(next->first, next->second, true));
    next = pending_.erase(next);
    if (log_.unflushed_bytes() >= kFlushBytes) PLZ_TRY(log_.flush());
  }
  if (pending_.empty()) agenda_.clear();
  return {};
}

// Whether there is no more to do about the file.
Result<bool> MeasureCollector::take(const std::string& at, Pending& pending, bool final) {
  UniqueFd file = watcher_.open(pending.root, pending.path);
  struct stat status {};
  if (!file) {
    if (cannot_open(pending, errno, final)) return true;
    schedule(at, pending, clock_.steady() + kMeasureQuietTime);
    return false;
  }
  if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return true;
  MeasureStamp stamp = stamp_of(status);
  // Emptied, to be written anew: that will be seen, and so will be a file that stays so, at the end.
  if (stamp.bytes == 0 && !final) return true;
  const SteadyTime now = clock_.steady();
  if (pending.stamp && !pending.stamp->same_file_state(stamp)) {
    pending.since = now;
    pending.refused = false;
    pending.patience = kMeasureQuietTime;
  }
  pending.stamp = stamp;
  const bool quiet = now - pending.since >= kMeasureQuietTime;
  const bool too_early = pending.closed ? pending.refused && !quiet : !quiet || pending.refused;
  if (final || !too_early) {
    bool complete = true;
    PLZ_TRY(read(file.get(), pending, stamp, final || (pending.closed && quiet), complete));
    if (complete || final) return true;
    pending.refused = true;
  }
  if (quiet) pending.patience = std::min(2 * pending.patience, kLongestPatience);
  schedule(at, pending, quiet ? now + pending.patience : pending.since + kMeasureQuietTime);
  return false;
}

// Whether there is no more to do about it.
bool MeasureCollector::cannot_open(const Pending& pending, int error_number, bool final) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENXIO: return true;  // gone, or no file any more
  }
  // Of another user, in a container: it may be given to this one in the end. Or the job holds a lease on it, or the
  // machine lacks something just now.
  if (!final) return error_number == EACCES || error_number == EPERM;
  if (unreadable_++ == 0) unreadable_reason_ = errno_error(error_number, printable(pending.path)).message;
  return true;
}

bool MeasureCollector::has_room_for(const MeasureEvent& event, const MeasureStamp& stamp, bool as_it_is) {
  const uint64_t bytes = event.path.size() + (stamp.bytes > kMaxMeasureBytes ? 0 : stamp.bytes);
  // The result of the run is kept whatever else the job wrote.
  if (bytes_ + bytes > limits_.bytes && !(as_it_is && event.path == kSummary)) {
    too_many_bytes_ = true;
    return false;
  }
  return true;
}

Result<void> MeasureCollector::read(int fd, const Pending& pending, MeasureStamp stamp, bool as_it_is, bool& complete) {
  MeasureEvent event;
  event.path = text_of(pending.path);
  event.index = roots_[pending.root].index;
  event.time = clock_.now();
  if (!has_room_for(event, stamp, as_it_is)) return {};
  if (stamp.bytes > kMaxMeasureBytes) {
    event.value.text = fmt::format("{{\"omitted_bytes\": {}}}", stamp.bytes);
  } else {
    std::string content(stamp.bytes, '\0');
    auto size = pread_up_to(fd, content.data(), content.size(), 0);
    if (!size) {
      if (unreadable_++ == 0) unreadable_reason_ = printable(pending.path) + ": " + size.error().message;
      return {};
    }
    content.resize(*size);
    stamp.content_hash = std::hash<std::string_view>()(content);
    // What was closed may have been opened again while it was read.
    const bool closed = pending.closed;
    if (!as_it_is && closed) watcher_.drain();
    complete = as_it_is || (pending.closed == closed && is_measure_json(content));
    if (!complete) return {};
    event.value = measure_value(std::move(content));
  }
  auto [known, is_new] = known_.try_emplace(key(pending.root, event.path));
  if (!is_new && known->second.same_file_state(stamp) && known->second.content_hash == stamp.content_hash) return {};
  auto kept = log_.add(event, stamp);
  if (kept) known->second = stamp, bytes_ += event.path.size() + stamp.bytes;
  else if (is_new) known_.erase(known);
  return kept;
}

std::string MeasureCollector::left_out() const {
  std::vector<std::string> reasons;
  if (too_many_files_) reasons.push_back(fmt::format("they are more than {}", limits_.files));
  if (watcher_.has_too_many_directories())
    reasons.push_back(fmt::format("they lie in more than {} directories", limits_.directories));
  if (watcher_.is_too_deep()) reasons.push_back(fmt::format("some lie more than {} directories deep", limits_.depth));
  if (too_many_bytes_) reasons.push_back(fmt::format("their values take more than {} bytes", limits_.bytes));
  if (unreadable_ > 0)
    reasons.push_back(fmt::format("{} could not be read, the first was {}", unreadable_, unreadable_reason_));
  std::string words;
  for (const auto& reason : reasons) words += (words.empty() ? "not all measures were kept: " : ", and ") + reason;
  return words;
}

}  // namespace plz
