#include "cli/configuration_rules.h"

#include <fmt/core.h>

#include "base/text.h"

namespace plz {
namespace {

constexpr int64_t kMostParts = 100'000;

tl::unexpected<Error> refuse(const ConfigurationMerge& merge, std::string_view key, std::string_view words,
                             std::string hint) {
  return fail(ErrorCode::invalid, fmt::format("{}: {}: {}", merge.source_of(key), key, words), std::move(hint));
}

Result<void> check_market(const Configuration& configuration, const ConfigurationMerge& merge) {
  const MarketSpec& market = configuration.market;
  if (market.market_type != MarketType::spot || market.max_bid_price_in_dollars_per_hour) return {};
  return refuse(merge, "instance_market_type", "\"spot\" needs max_bid_price_in_dollars_per_hour, which is not set",
                "set it to the most that an hour may cost, in dollars");
}

Result<void> check_dockerfile(const Configuration& configuration, const ConfigurationMerge& merge) {
  if (!configuration.has_dockerfile) return {};
  auto beside = [&](std::string_view key, std::string_view hint) {
    return refuse(merge, key,
                  fmt::format("cannot stand beside {}/plz.Dockerfile", printable(configuration.context_path)),
                  std::string(hint));
  };
  if (configuration.image) return beside("image", "the Dockerfile's FROM says the image: remove one of the two");
  if (!configuration.image_extensions.empty())
    return beside("image_extensions", "write the lines into the Dockerfile, or remove it");
  if (configuration.command) return beside("command", "the Dockerfile's CMD is what runs: remove one of the two");
  return {};
}

Result<void> check_docker_run_args(const Configuration& configuration, const ConfigurationMerge& merge) {
  if (configuration.docker_run_args.text == "{}" || configuration.image || configuration.has_dockerfile) return {};
  return refuse(merge, "docker_run_args", "there is no container to hand them to: the job runs in the sandbox",
                "set image too, or remove docker_run_args");
}

Result<void> check_runtime(const Configuration& configuration, const ConfigurationMerge& merge) {
  if (configuration.runtime.empty() || (!configuration.image && !configuration.has_dockerfile)) return {};
  return refuse(merge, "runtime", "cannot stand beside an image: that runs in a container", "remove one of the two");
}

Result<void> check_image(const Configuration& configuration, const ConfigurationMerge& merge) {
  if (configuration.image_extensions.empty() || configuration.image || configuration.has_dockerfile) return {};
  return refuse(merge, "image_extensions", "there is no image to extend", "set image too");
}

Result<void> check_indices(const Configuration& configuration, const ConfigurationMerge& merge) {
  const auto& range = configuration.parallel_indices_range;
  int64_t group = configuration.indices_per_execution;
  if (!range) {
    if (!merge.has("indices_per_execution")) return {};
    return refuse(merge, "indices_per_execution", "there is no parallel_indices_range to divide",
                  "set it to [from, to]");
  }
  int64_t parts = range->size() / group + (range->size() % group != 0);
  if (parts <= kMostParts) return {};
  return refuse(merge, "parallel_indices_range",
                fmt::format("would make {} sub-executions; {} is the most", parts, kMostParts),
                "raise indices_per_execution");
}

}  // namespace

Result<void> check_configuration_rules(const Configuration& configuration, const ConfigurationMerge& merge) {
  PLZ_TRY(check_market(configuration, merge));
  PLZ_TRY(check_dockerfile(configuration, merge));
  PLZ_TRY(check_image(configuration, merge));
  PLZ_TRY(check_runtime(configuration, merge));
  PLZ_TRY(check_docker_run_args(configuration, merge));
  return check_indices(configuration, merge);
}

std::vector<std::string> configuration_warnings(const Configuration& configuration) {
  std::vector<std::string> warnings;
  const MarketSpec& market = configuration.market;
  if (market.market_type == MarketType::on_demand && market.max_bid_price_in_dollars_per_hour)
    warnings.push_back("max_bid_price_in_dollars_per_hour is ignored: instance_market_type is \"on_demand\"");
  // The embedded controller has the local instance alone, and that has no such limit.
  if (configuration.host && market.instance_max_uptime_in_minutes)
    warnings.push_back(
        fmt::format("An instance that is got for this lives {} minutes at most, whatever runs on it: see "
                    "instance_max_uptime_in_minutes",
                    *market.instance_max_uptime_in_minutes));
  return warnings;
}

}  // namespace plz
