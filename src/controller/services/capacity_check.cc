#include "controller/services/capacity_check.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/log.h"
#include "base/text.h"

namespace plz {
namespace {

constexpr double kRoundingOfProcessors = 1e-9;

bool holds(const Capacity& capacity, const Resources& wanted) {
  return wanted.cpus <= capacity.cpus + kRoundingOfProcessors && wanted.memory_bytes <= capacity.memory_bytes &&
         wanted.gpus <= capacity.gpus.size();
}

std::string processors(double count) { return fmt::format("{:g} processor{}", count, count == 1 ? "" : "s"); }
std::string gpus(uint32_t count) { return fmt::format("{} GPU{}", count, count == 1 ? "" : "s"); }

// "this machine has 2", "no instance has more than 2"
std::string has(Among among, const std::string& most) {
  return among == Among::this_machine ? "this machine has " + most : "no instance has more than " + most;
}

// Each is there, but not on one and the same.
std::string all_wanted(const Resources& wanted) {
  std::string all = processors(wanted.cpus);
  if (wanted.memory_bytes > 0) all += fmt::format(", {} of memory", human_bytes(wanted.memory_bytes));
  if (wanted.gpus > 0) all += ", " + gpus(wanted.gpus);
  return all + ": no instance has all of that";
}

}  // namespace

std::optional<std::string> why_never_met(const Resources& wanted, const std::vector<Capacity>& there, Among among) {
  if (std::any_of(there.begin(), there.end(), [&](const Capacity& one) { return holds(one, wanted); })) return {};
  Capacity most;
  for (const Capacity& one : there) {
    most.cpus = std::max(most.cpus, one.cpus);
    most.memory_bytes = std::max(most.memory_bytes, one.memory_bytes);
    if (one.gpus.size() > most.gpus.size()) most.gpus = one.gpus;
  }
  if (wanted.cpus > most.cpus + kRoundingOfProcessors)
    return fmt::format("{}: {}", processors(wanted.cpus), has(among, fmt::format("{:g}", most.cpus)));
  if (wanted.memory_bytes > most.memory_bytes)
    return fmt::format("{} of memory: {}", human_bytes(wanted.memory_bytes),
                       has(among, human_bytes(most.memory_bytes)));
  if (wanted.gpus > most.gpus.size() && most.gpus.empty())
    return fmt::format("{}: {}", gpus(wanted.gpus),
                       among == Among::this_machine ? "this machine has none" : "no instance has any");
  if (wanted.gpus > most.gpus.size())
    return fmt::format("{}: {}", gpus(wanted.gpus), has(among, std::to_string(most.gpus.size())));
  return all_wanted(wanted);
}

CapacityCheck::CapacityCheck(Provider& provider, const WorkerService& workers, bool embedded)
    : provider_(provider), workers_(workers), embedded_(embedded) {}

Result<void> CapacityCheck::check(const Resources& wanted) const {
  if (!provider_is_used_) return {};
  auto offers = provider_.offers();
  if (!offers) {
    log_warning("what the provider {} offers is not known: {}", provider_.name(), offers.error().message);
    return {};
  }
  std::vector<Capacity> there;
  for (Offer& offer : *offers) there.push_back(std::move(offer.capacity));
  for (Instance& instance : workers_.instances()) there.push_back(std::move(instance.capacity));
  const auto why = why_never_met(wanted, there, embedded_ ? Among::this_machine : Among::instances);
  if (!why) return {};
  return fail(ErrorCode::never_met, "the resources that it asks for can never be had: " + *why,
              "ask for less in \"resources\"; --wait-anyway (\"wait_anyway\": true) queues it until there is as much");
}

}  // namespace plz
