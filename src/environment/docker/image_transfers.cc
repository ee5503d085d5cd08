#include "environment/docker/image_transfers.h"

#include <map>

#include <fmt/core.h>

#include "base/log.h"
#include "base/text.h"
#include "environment/image_identity.h"
#include "environment/image_reference.h"
#include "model/preparation_line.h"

namespace plz {
namespace {

constexpr int kAttempts = 4;
constexpr auto kTold = std::chrono::seconds(2);

bool may_pass(const Error& error) {
  bool disk_full = error.message.find("no space left") != std::string::npos;
  return (error.code == ErrorCode::unavailable || error.code == ErrorCode::timeout) && !disk_full;
}

// A line now and then: how much has moved of what is known to come.
class ProgressWords {
 public:
  ProgressWords(std::string what, const Say& say, const Clock& clock)
      : what_(std::move(what)), say_(say), clock_(clock), told_(clock.steady()) {}

  void note(const TransferProgress& progress) {
    if (progress.layer.empty() || progress.total == 0) return;
    if (progress.status != "Downloading" && progress.status != "Pushing") return;
    layers_[progress.layer] = {progress.bytes, progress.total};
    if (clock_.steady() - told_ < kTold) return;
    told_ = clock_.steady();
    uint64_t bytes = 0, total = 0;
    for (const auto& [layer, moved] : layers_) {
      bytes += std::min(moved.first, moved.second);
      total += moved.second;
    }
    say_(preparation_line(PreparationVoice::progress,
                          fmt::format("{}: {} of {}", what_, human_bytes(bytes), human_bytes(total))));
  }

 private:
  const std::string what_;
  const Say& say_;
  const Clock& clock_;
  SteadyTime told_;
  std::map<std::string, std::pair<uint64_t, uint64_t>> layers_;
};

}  // namespace

Result<void> ImageTransfers::persist(const std::string& what, const Say& say, const std::stop_token& stop,
                                     const std::function<Result<void>()>& attempt) {
  Backoff backoff(clock_, pauses_);
  for (int left = kAttempts - 1;; --left) {
    auto done = attempt();
    if (done) return done;
    if (left == 0 || !may_pass(done.error())) return fail(std::move(done).error().with_context(what));
    say(preparation_line(PreparationVoice::warning,
                         fmt::format("{} failed and is tried again: {}", what, done.error().message)));
    if (!wait_unless_stopped(stop, backoff.next())) return fail(ErrorCode::cancelled, what + " was cancelled");
  }
}

Result<ImageDetails> ImageTransfers::find_or_pull(const std::string& name, const std::string& platform, const Say& say,
                                                  std::stop_token stop) {
  PLZ_ASSIGN(auto found, engine_.inspect_image(name));
  if (found && is_for_platform(*found, platform)) return std::move(*found);
  auto pulled = pull(name, platform, say, stop);
  if (!pulled && pulled.error().code == ErrorCode::not_found) {
    Error error = std::move(pulled).error();
    return fail(ErrorCode::invalid, error.message,
                "is its name right? `docker images` lists those that are on this engine");
  }
  return pulled;
}

Result<ImageDetails> ImageTransfers::pull(const std::string& name, const std::string& platform, const Say& say,
                                          std::stop_token stop) {
  PLZ_ASSIGN(ImageReference reference, parse_image_reference(name));
  const std::string what = "Pulling " + name;
  say(preparation_line(PreparationVoice::info, what));
  ProgressWords words(what, say, clock_);
  PLZ_TRY(persist(what, say, stop, [&]() -> Result<void> {
    PLZ_ASSIGN(RegistryCredentials credentials, login_.credentials_for(reference.server));
    return engine_.pull_image(
        name, platform, credentials, [&](const auto& progress) { words.note(progress); }, stop);
  }));
  PLZ_ASSIGN(auto image, engine_.inspect_image(name));
  if (!image) return fail(ErrorCode::unavailable, name + " was pulled, and is not on the engine");
  if (!is_for_platform(*image, platform))
    return fail(ErrorCode::invalid,
                fmt::format("{} is for {}/{}, not for {}", name, image->os, image->architecture, platform));
  return std::move(*image);
}

std::map<std::string, RegistryCredentials> ImageTransfers::credentials_for(const std::vector<std::string>& names) {
  std::map<std::string, RegistryCredentials> known;
  for (const std::string& name : names) {
    auto reference = parse_image_reference(name);
    if (!reference) continue;
    auto credentials = login_.credentials_for(reference->server);
    if (!credentials) log_warning("{}", credentials.error().message);
    else if (!is_anonymous(*credentials)) known[credentials->server] = std::move(*credentials);
  }
  return known;
}

Result<std::string> ImageTransfers::push(const std::string& repository, const std::string& tag, const Say& say,
                                         std::stop_token stop) {
  PLZ_ASSIGN(ImageReference reference, parse_image_reference(repository));
  const std::string what = "Pushing " + repository + ":" + tag;
  say(preparation_line(PreparationVoice::info, what));
  ProgressWords words(what, say, clock_);
  std::string digest;
  PLZ_TRY(persist(what, say, stop, [&]() -> Result<void> {
    PLZ_ASSIGN(RegistryCredentials credentials, login_.credentials_for(reference.server));
    PLZ_ASSIGN(digest, engine_.push_image(
                           repository, tag, credentials, [&](const auto& progress) { words.note(progress); }, stop));
    return {};
  }));
  return repository + "@" + digest;
}

}  // namespace plz
