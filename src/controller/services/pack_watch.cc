#include "controller/services/pack_watch.h"

#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/log.h"
#include "base/patience.h"

namespace plz {
namespace {

constexpr int kShareOfTime = 100;

}  // namespace

Result<void> PackWatch::look() {
  std::lock_guard lock(mutex_);
  const SteadyTime began = clock_.steady();
  if (next_ && began < *next_) return {};
  PLZ_TRY(look_at_all());
  const SteadyTime ended = clock_.steady();
  next_ = ended + (ended - began) * kShareOfTime;
  return {};
}

Result<void> PackWatch::look_at_all() {
  PLZ_ASSIGN(const auto recorded, records_.pack_sizes());
  std::map<Uuid, Result<uint64_t>> lost;
  std::map<Uuid, uint64_t> known;
  for (const auto& [pack, bytes] : recorded) {
    auto size = packs_.size(PackId(pack));
    if (size ? *size >= bytes : is_temporary(size.error().code)) continue;
    const uint64_t there = size.value_or(0);
    auto before = known_.find(pack);
    if (before == known_.end() || before->second != there) lost.emplace(pack, std::move(size));
    known[pack] = there;
  }
  if (!lost.empty()) PLZ_TRY(mark_lost(lost));
  known_ = std::move(known);
  return {};
}

Result<void> PackWatch::mark_lost(const std::map<Uuid, Result<uint64_t>>& lost) {
  std::map<Uuid, std::vector<Digest>> damaged;
  PLZ_TRY(records_.each([&](const BlobRecord& blob) {
    const auto pack = lost.find(blob.pack);
    if (pack != lost.end() && blob.offset + blob.stored_bytes > pack->second.value_or(0))
      damaged[blob.pack].push_back(blob.digest);
    return true;
  }));
  for (const auto& [pack, digests] : damaged) {
    const Result<uint64_t>& size = lost.at(pack);
    const std::string fault =
        size ? fmt::format("the pack {} is cut short", PackId(pack).to_string()) : size.error().message;
    log_error("{} blobs of the store are damaged: {}", digests.size(), fault);
    PLZ_TRY(records_.mark_damaged(digests, fault));
  }
  return {};
}

}  // namespace plz
