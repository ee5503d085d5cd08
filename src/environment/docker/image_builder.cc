#include "environment/docker/image_builder.h"

#include "base/log.h"
#include "environment/docker/build_images.h"
#include "environment/docker/naming_claim.h"
#include "environment/docker/output_lines.h"
#include "environment/image_identity.h"
#include "model/preparation_line.h"
#include "os/file.h"
#include "os/lock_file.h"

namespace plz {
namespace {

constexpr auto kLockPause = std::chrono::milliseconds(100);
constexpr std::chrono::milliseconds kContainerPatience = std::chrono::seconds(30);
constexpr auto kPushPause = std::chrono::minutes(10);

std::string name_of(const EnvironmentPlan& plan) { return std::string(kEnvironmentRepository) + ":" + plan.key; }
std::string shared_name(const EnvironmentPlan& plan) { return plan.repository + ":" + plan.key; }

void inform(const Say& say, std::string_view text) { say(preparation_line(PreparationVoice::info, text)); }
void warn(const Say& say, std::string_view text) { say(preparation_line(PreparationVoice::warning, text)); }

// A few lock files for all keys there may be: two that share one wait for each other in vain at most.
std::string lock_name(const std::string& key) { return key.substr(0, 2); }

Result<std::optional<LockFile>> try_lock_key(const std::string& directory, const std::string& key) {
  const std::string locks = join_path(directory, "build-locks");
  PLZ_TRY(make_directories(locks, 0700));
  return LockFile::try_lock(join_path(locks, lock_name(key)));
}

Result<LockFile> lock_key(const std::string& directory, const std::string& key, const Say& say,
                          const std::stop_token& stop) {
  for (bool told = false;; told = true) {
    PLZ_ASSIGN(auto lock, try_lock_key(directory, key));
    if (lock) return std::move(*lock);
    if (!told) inform(say, "Another worker builds this environment: waiting for it");
    if (!wait_unless_stopped(stop, kLockPause)) return fail(ErrorCode::cancelled, "no longer waiting for a build");
  }
}

// A build that was cut off has a container for a moment more: patience. False: it may still go later; what other
// images stand on refuses for good.
bool remove_image_of_build(EngineClient& engine, const std::string& id) {
  for (auto left = kContainerPatience;; left -= kLockPause) {
    auto removed = engine.remove_image(id, false);
    if (removed) return true;
    const Error& error = removed.error();
    bool has_container = error.code == ErrorCode::conflict && error.message.find("container") != std::string::npos;
    if (!has_container || left <= kLockPause) {
      log_debug("image {} of a failed build stays: {}", id, error.message);
      return !has_container && error.code != ErrorCode::unavailable;
    }
    wait_unless_stopped({}, kLockPause);
  }
}

// Stages that the last one is not made from would be left without a name; the next build may want them as a cache.
void name_stages(EngineClient& engine, Holds& holds, const EnvironmentPlan& plan, const MadeByBuild& made) {
  auto images = engine.list_images({});
  int stage = 0;
  for (const std::string& id : made.images)
    for (const ImageSummary& image : images ? *images : std::vector<ImageSummary>()) {
      bool is_left =
          image.id.starts_with("sha256:" + id) && image.tags.empty() && !image.labels.contains(kEnvironmentLabel);
      if (!is_left) continue;
      auto named = engine.tag_image(image.id, kEnvironmentRepository, plan.key + "-stage-" + std::to_string(++stage));
      if (named) named = holds.take(image.id, image.tags);
      if (!named) log_warning("a stage of {} stays without a name: {}", name_of(plan), named.error().message);
    }
}

// False: some of it may still be there, and may go later.
bool remove_made(EngineClient& engine, const MadeByBuild& made) {
  bool done = NamingClaim::remove_leftovers(engine, made.images);
  for (const std::string& id : made.containers) {
    auto removed = engine.remove_container(id);
    done = done && (removed || removed.error().code != ErrorCode::unavailable);
  }
  for (const std::string& id : made.images) {
    auto details = engine.inspect_image(id);
    if (!details) done = false;
    else if (*details && (*details)->tags.empty()) done = remove_image_of_build(engine, id) && done;
  }
  return done;
}

}  // namespace

Result<ImageDetails> ImageBuilder::ensure(const EnvironmentPlan& plan, const Say& say, std::stop_token stop) {
  PLZ_ASSIGN(auto found, find(plan));
  if (found && is_shared_as_far_as_can_be(plan, *found)) return std::move(*found);
  auto waiting = [&] { inform(say, "Another execution prepares this environment: waiting for it"); };
  return flights_.run(plan.key, stop, waiting, [&] { return obtain(plan, say, stop); });
}

void ImageBuilder::remove_leftovers(const std::string& locked_key) {
  for (const std::string& key : notes_.keys()) {
    std::optional<LockFile> lock;
    if (locked_key.empty() || lock_name(key) != lock_name(locked_key)) {
      auto tried = try_lock_key(settings_.directory, key);
      if (!tried || !*tried) continue;  // it is being built
      lock = std::move(*tried);
    }
    auto made = notes_.read(key);
    if (!made) log_warning("{}", made.error().message);
    else if (remove_made(engine_, *made)) notes_.erase(key);
  }
}

Result<std::optional<ImageDetails>> ImageBuilder::find(const EnvironmentPlan& plan) {
  return engine_.inspect_image(name_of(plan));
}

Result<ImageDetails> ImageBuilder::obtain(const EnvironmentPlan& plan, const Say& say, const std::stop_token& stop) {
  PLZ_ASSIGN(LockFile lock, lock_key(settings_.directory, plan.key, say, stop));
  PLZ_ASSIGN(auto image, find(plan));
  if (!image) {
    PLZ_ASSIGN(image, fetch(plan, say, stop));
  }
  if (!image) {
    PLZ_ASSIGN(image, build(plan, say, stop));
  }
  return share(plan, std::move(*image), say, stop);
}

Result<std::optional<ImageDetails>> ImageBuilder::fetch(const EnvironmentPlan& plan, const Say& say,
                                                        const std::stop_token& stop) {
  if (plan.repository.empty()) return std::nullopt;
  auto pulled = transfers_.pull(shared_name(plan), plan.platform, say, stop);
  if (!pulled && pulled.error().code == ErrorCode::cancelled) return fail(std::move(pulled).error());
  if (!pulled) {
    if (pulled.error().code == ErrorCode::not_found) inform(say, "It is not there yet, and is built");
    else say(warning_line(pulled.error()));
    return std::nullopt;
  }
  if (auto label = pulled->labels.find(kEnvironmentLabel); label == pulled->labels.end() || label->second != plan.key) {
    warn(say, shared_name(plan) + " is not what its name says, and is built anew");
    return std::nullopt;
  }
  PLZ_TRY(engine_.tag_image(pulled->id, kEnvironmentRepository, plan.key));
  return find(plan);
}

Result<ImageDetails> ImageBuilder::build(const EnvironmentPlan& plan, const Say& say, const std::stop_token& stop) {
  inform(say, "Building the environment from " + plan.what);
  BuildRequest request{.labels = {{kEnvironmentLabel, plan.key}, {kHeldLabel, "1"}},
                       .dockerfile = plan.dockerfile_path,
                       .network_mode = settings_.build_network,
                       .platform = plan.platform,
                       .credentials = transfers_.credentials_for(plan.base_names)};
  request.labels[kEnvironmentBaseLabel] = std::to_string(plan.base_bytes);
  ContextArchive archive(plan.directory, plan.entries, plan.texts);
  remove_leftovers(plan.key);
  BuildImages images;
  Say heard = [&](std::string_view line) {
    if (images.line(line))
      if (auto noted = notes_.write(plan.key, images.made()); !noted) log_warning("{}", noted.error().message);
    say(preparation_line(PreparationVoice::engine, line));
  };
  OutputLines lines(heard);
  auto built = engine_.build_image(
      request, [&](char* buffer, size_t size) { return archive.read(buffer, size); },
      [&](std::string_view text) { lines.feed(text); }, stop);
  lines.finish();
  if (built) {
    name_stages(engine_, holds_, plan, images.made());
    auto kept = keep_one(plan, *built, stop);
    if (kept) notes_.erase(plan.key);
    return kept;
  }
  if (remove_made(engine_, images.made())) notes_.erase(plan.key);
  Error error = std::move(built).error().with_context("building the environment from " + plan.what);
  if (error.code != ErrorCode::invalid) return fail(std::move(error));
  error.message += lines.last();
  // The program that found the disk full said so; the engine tells its exit status only.
  if (error.message.find("o space left on device") != std::string::npos)
    return fail(ErrorCode::unavailable, error.message, "the engine's disk is full: `docker system df` says of what");
  return fail(std::move(error));
}

Result<std::optional<ImageDetails>> ImageBuilder::name_one(const EnvironmentPlan& plan, const std::string& built,
                                                           const std::stop_token& stop) {
  PLZ_ASSIGN(NamingClaim claim, NamingClaim::take(engine_, plan.key, built, settings_.naming_patience, stop));
  PLZ_ASSIGN(auto named, find(plan));
  if (named) return named;
  PLZ_TRY(engine_.tag_image(built, kEnvironmentRepository, plan.key));
  return find(plan);
}

// Somebody who shares the engine but not our locks may have been sooner, or be here at this moment. Whoever removes
// images without names (docker image prune) may have been, too.
Result<ImageDetails> ImageBuilder::keep_one(const EnvironmentPlan& plan, const std::string& built,
                                            const std::stop_token& stop) {
  auto named = name_one(plan, built, stop);
  if (!named && named.error().code == ErrorCode::not_found) named = std::nullopt;
  PLZ_ASSIGN(std::optional<ImageDetails> kept, std::move(named));
  if (!kept) return fail(ErrorCode::unavailable, name_of(plan) + " was removed as soon as it was built");
  if (kept->id != built)
    if (auto removed = engine_.remove_image(built, false); !removed)
      log_warning("a second image for {} stays: {}", name_of(plan), removed.error().message);
  return std::move(*kept);
}

Result<ImageDetails> ImageBuilder::share(const EnvironmentPlan& plan, ImageDetails image, const Say& say,
                                         const std::stop_token& stop) {
  if (is_shared_as_far_as_can_be(plan, image)) return image;
  PLZ_TRY(engine_.tag_image(image.id, plan.repository, plan.key));
  auto pushed = transfers_.push(plan.repository, plan.key, say, stop);
  if (!pushed && pushed.error().code == ErrorCode::cancelled) return fail(std::move(pushed).error());
  if (!pushed) {
    say(warning_line(std::move(pushed).error().with_context("This environment stays on this engine alone")));
    std::lock_guard lock(mutex_);
    failed_pushes_[shared_name(plan)] = clock_.steady();
    return image;
  }
  PLZ_ASSIGN(auto shared, find(plan));
  return shared ? std::move(*shared) : image;
}

bool ImageBuilder::is_shared_as_far_as_can_be(const EnvironmentPlan& plan, const ImageDetails& image) {
  if (plan.repository.empty() || !digest_in(image, plan.repository).empty()) return true;
  std::lock_guard lock(mutex_);
  auto failed = failed_pushes_.find(shared_name(plan));
  return failed != failed_pushes_.end() && clock_.steady() - failed->second < kPushPause;
}

}  // namespace plz
