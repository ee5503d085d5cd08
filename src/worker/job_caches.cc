#include "worker/job_caches.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include <fmt/core.h>

#include "base/backoff.h"
#include "base/log.h"
#include "base/text.h"
#include "net/http_types.h"
#include "os/file.h"
#include "store/hasher.h"
#include "worker/download_links.h"

namespace plz {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr size_t kMostNameBytes = 150;
// A clock that was set back is not waited for.
constexpr seconds kMostWait{2};
// Beyond the time of the last file that was made with another tree.
constexpr milliseconds kStep{1};

// A user's name, and a project's, is any text, and neither "." nor ".." is encoded.
std::string directory_name(std::string_view prefix, const std::string& name) {
  std::string encoded = percent_encode(name);
  if (encoded.size() > kMostNameBytes)
    encoded = encoded.substr(0, kMostNameBytes) + "~" + digest_of(name).hex().substr(0, 16);
  return std::string(prefix) + encoded;
}

std::string place_line(std::string_view which, const std::optional<Digest>& tree, FileTime time) {
  return fmt::format("{} {} {}\n", which, tree ? tree->hex() : "unknown", time.time_since_epoch().count());
}

// Nothing of what a job finds in its cache was made from other files than its own.
constexpr char kLedger[] = "/ledger";
constexpr char kLedgerMagic[] = "plz-job-cache 1";

}  // namespace

JobCaches::Hold& JobCaches::Hold::operator=(Hold&& other) noexcept {
  if (this == &other) return *this;
  release();
  caches_ = other.caches_;
  cache_ = std::move(other.cache_);
  has_input_ = other.has_input_;
  return *this;
}

std::string JobCaches::Hold::path() const { return cache_ ? caches_->path_of(*cache_) + "/cache" : ""; }

std::string JobCaches::Hold::downloads() const {
  if (!cache_) return "";
  // projects/USER/PROJECT/N
  return join_path(caches_->directory_, split(cache_->name, '/')[1]);
}

std::string JobCaches::Hold::name() const { return cache_ ? cache_->name : ""; }

void JobCaches::Hold::spoil() {
  if (!cache_) return;
  std::lock_guard lock(caches_->mutex_);
  cache_->code.tree.reset();
  cache_->input.tree.reset();
  if (auto written = caches_->write_ledger(*cache_); !written) log_warning("{}", written.error().message);
}

void JobCaches::Hold::release() {
  auto cache = std::exchange(cache_, nullptr);
  if (!cache) return;
  std::lock_guard lock(caches_->mutex_);
  if (has_input_) --cache->input_holders;
  if (--cache->holders == 0) cache->free_since = file_time_now();
}

JobCaches::CachePointer JobCaches::load_cache(const std::string& name) const {
  auto cache = std::make_shared<Cache>();
  cache->name = name;
  // When its last job ended is not known, but it has.
  cache->free_since = file_time_now();
  cache->code.was_used = cache->input.was_used = true;
  const std::string text = read_file(path_of(*cache) + kLedger).value_or("");
  const auto lines = split(trim(text), '\n');
  if (lines.size() != 4 || lines[0] != kLedgerMagic) return cache;
  // What a machine that crashed has of the cache may be newer than what it has of the ledger.
  cache->is_written = !boot_id_.empty() && lines[1] == "boot " + boot_id_;
  for (auto [line, place] : {std::pair(lines[2], &cache->code), std::pair(lines[3], &cache->input)}) {
    const auto words = split(line, ' ');
    int64_t time = 0;
    if (words.size() != 3) continue;
    std::from_chars(words[2].data(), words[2].data() + words[2].size(), time);
    if (cache->is_written) place->tree = Digest::parse(words[1]);
    if (cache->is_written && words[1] == "none") place->was_used = false;
    place->time = FileTime(std::chrono::nanoseconds(time));
  }
  return cache;
}

JobCaches::Project& JobCaches::project(const std::string& name) {
  Project& project = projects_[name];
  if (std::exchange(project.is_loaded, true)) return project;
  auto numbers = list_directory(join_path(directory_, name));
  if (!numbers) return project;
  for (const auto& number : *numbers) project.caches.push_back(load_cache(join_path(name, number)));
  return project;
}

// Those that are used for the same, then those that nobody uses, the most alike and the last used first.
std::vector<JobCaches::CachePointer> JobCaches::candidates(const Project& project, const Use& use) const {
  auto rank = [&](const Cache& cache) -> int {
    const bool same_code = cache.code.tree == use.code_tree;
    const bool same_input = !use.input || cache.input.tree == use.input_tree;
    if (cache.holders > 0) return same_code && (same_input || cache.input_holders == 0) ? 0 : -1;
    return same_code && same_input ? 1 : same_code ? 2 : 3;
  };
  std::vector<CachePointer> found;
  for (const auto& cache : project.caches)
    if (rank(*cache) >= 0) found.push_back(cache);
  std::stable_sort(found.begin(), found.end(), [&](const auto& a, const auto& b) {
    return std::pair(rank(*a), b->last_used) < std::pair(rank(*b), a->last_used);
  });
  return found;
}

JobCaches::Demand JobCaches::demand(const Cache& cache, const Place& place, const Digest& tree, bool is_in_use) const {
  const FileTime now = file_time_now(), recent = now - seconds(1);
  if (!place.was_used) return {FileTime::min(), recent};
  if (place.tree == tree) return {place.time, std::max(place.time, recent)};
  const FileTime after = (is_in_use ? now : cache.free_since) + kStep;
  const FileTime earliest = std::max<FileTime>(after, std::chrono::floor<seconds>(place.time) + seconds(1));
  return {earliest, std::max(earliest, recent)};
}

Result<std::optional<FileTime>> JobCaches::fix(TreeCache::Hold& tree, const Demand& demand,
                                               const std::stop_token& stop) {
  if (trees_.time(tree) < demand.earliest) {
    const auto ahead = std::chrono::ceil<milliseconds>(demand.fresh - file_time_now());
    if (ahead.count() > 0 && ahead <= kMostWait && !wait_unless_stopped(stop, ahead))
      return fail(ErrorCode::cancelled, "stopped before it was started");
  }
  return trees_.fix(tree, demand.earliest, demand.fresh, stop);
}

Result<std::optional<std::pair<FileTime, FileTime>>> JobCaches::fix(Cache& cache, const Use& use,
                                                                    const std::stop_token& stop) {
  std::pair<FileTime, FileTime> times;
  Demand of_code, of_input;
  {
    std::lock_guard lock(mutex_);
    of_code = demand(cache, cache.code, use.code_tree, cache.holders > 0);
    of_input = demand(cache, cache.input, use.input_tree, cache.holders > 0);
  }
  PLZ_ASSIGN(auto code, fix(use.code, of_code, stop));
  if (!code) return std::nullopt;
  times.first = *code;
  if (!use.input) return std::optional(times);
  auto input = fix(use.input, of_input, stop);
  if (!input || !*input) trees_.loosen(use.code);
  if (!input) return fail(std::move(input).error());
  if (!*input) return std::nullopt;
  times.second = **input;
  return std::optional(times);
}

Result<void> JobCaches::write_ledger(const Cache& cache) const {
  std::string text = fmt::format("{}\nboot {}\n", kLedgerMagic, boot_id_);
  for (auto [which, place] : {std::pair("code", &cache.code), std::pair("input", &cache.input)})
    text += place->was_used ? place_line(which, place->tree, place->time) : fmt::format("{} none 0\n", which);
  return write_file_atomically(path_of(cache) + kLedger, text, 0600, Sync::no);
}

Result<void> JobCaches::take(Cache& cache, const Use& use, std::pair<FileTime, FileTime> times) {
  bool is_new = !cache.is_written;
  auto note = [&](Place& place, const Digest& tree, FileTime time) {
    is_new = is_new || place.tree != tree || place.time != time;
    place = {tree, true, time};
  };
  note(cache.code, use.code_tree, times.first);
  if (use.input) note(cache.input, use.input_tree, times.second);
  cache.last_used = ++uses_;
  if (!is_new) return {};
  cache.is_written = false;
  PLZ_TRY(make_directories(path_of(cache), 0700));
  PLZ_TRY(write_ledger(cache));
  cache.is_written = true;
  return {};
}

Result<JobCaches::CachePointer> JobCaches::choose(const std::string& name, Project& project, const Use& use,
                                                  const std::stop_token& stop) {
  std::vector<CachePointer> known;
  {
    std::lock_guard lock(mutex_);
    known = candidates(project, use);
    auto fresh = std::make_shared<Cache>();
    size_t number = 1;
    do fresh->name = join_path(name, std::to_string(number++));
    while (std::any_of(project.caches.begin(), project.caches.end(),
                       [&](const auto& cache) { return cache->name == fresh->name; }));
    known.push_back(std::move(fresh));
  }
  for (const auto& cache : known) {
    PLZ_ASSIGN(const auto times, fix(*cache, use, stop));
    if (!times) continue;
    std::lock_guard lock(mutex_);
    PLZ_TRY(take(*cache, use, *times));
    if (cache == known.back()) project.caches.push_back(cache);
    ++cache->holders;
    if (use.input) ++cache->input_holders;
    return cache;
  }
  return fail(ErrorCode::internal, "no cache suits the job");
}

Result<JobCaches::Hold> JobCaches::acquire(Use use, const std::stop_token& stop) {
  const std::string name =
      fmt::format("projects/{}/{}", directory_name("user-", use.user), directory_name("project-", use.project));
  std::unique_lock lock(mutex_);
  Project& mine = project(name);
  changed_.wait(lock, stop, [&] { return !mine.is_choosing; });
  if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped before it was started");
  mine.is_choosing = true;
  lock.unlock();
  auto chosen = choose(name, mine, use, stop);
  lock.lock();
  mine.is_choosing = false;
  changed_.notify_all();
  lock.unlock();
  if (!chosen) return fail(std::move(chosen).error());
  Hold hold;
  hold.caches_ = this;
  hold.cache_ = *chosen;
  hold.has_input_ = static_cast<bool>(use.input);
  PLZ_TRY(make_directories(hold.path(), 0700));
  PLZ_TRY(make_directories(hold.downloads(), 0700));
  // Without them it works as well, from the network.
  if (auto linked = link_downloads(hold.path(), hold.downloads()); !linked) log_warning("{}", linked.error().message);
  return hold;
}

Result<void> JobCaches::set_times_for_volumes(Use use, const std::stop_token& stop) {
  const std::string name =
      fmt::format("volumes/{}/{}/1", directory_name("user-", use.user), directory_name("project-", use.project));
  CachePointer cache;
  {
    std::lock_guard lock(mutex_);
    auto& caches = projects_[name].caches;
    if (caches.empty()) {
      caches.push_back(load_cache(name));
      if (!path_exists(join_path(directory_, name)))
        caches.back()->code.was_used = caches.back()->input.was_used = false;
    }
    cache = caches.front();
    // Whoever else runs may have written until now.
    cache->free_since = file_time_now();
  }
  PLZ_ASSIGN(auto times, fix(*cache, use, stop));
  if (!times) {
    PLZ_TRY(trees_.fix(use.code, FileTime::min(), {}, stop));
    if (use.input) PLZ_TRY(trees_.fix(use.input, FileTime::min(), {}, stop));
    times = std::pair(trees_.time(use.code), use.input ? trees_.time(use.input) : FileTime());
  }
  std::lock_guard lock(mutex_);
  return take(*cache, use, *times);
}

JobCaches::Hold JobCaches::take_up(const std::string& name, bool has_input) {
  Hold hold;
  if (split(name, '/').size() != 4) return hold;
  std::lock_guard lock(mutex_);
  for (const auto& cache : project(parent_path(name)).caches) {
    if (cache->name != name) continue;
    hold.caches_ = this;
    hold.cache_ = cache;
    hold.has_input_ = has_input;
    ++cache->holders;
    if (has_input) ++cache->input_holders;
  }
  return hold;
}

}  // namespace plz
