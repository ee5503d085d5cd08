#include "cli/preparation_watch.h"

#include "base/backoff.h"
#include "base/threads.h"
#include "cli/preparation_display.h"
#include "client/api_client.h"

namespace plz {
namespace {

constexpr std::chrono::milliseconds kPause{200};
constexpr int kTriesToFinish = 25;

}  // namespace

PreparationWatch::PreparationWatch(Endpoint endpoint, ClientSettings settings, ExecutionId id, Messages& messages,
                                   bool quiet_build) {
  auto thread =
      start_jthread([this, endpoint = std::move(endpoint), settings, id, &messages, quiet_build](
                        const std::stop_token& stop) { watch(endpoint, settings, id, messages, quiet_build, stop); });
  if (thread) thread_ = std::move(*thread);
}

void PreparationWatch::watch(const Endpoint& endpoint, const ClientSettings& settings, ExecutionId id,
                             Messages& messages, bool quiet_build, const std::stop_token& stop) {
  PreparationDisplay display(messages, quiet_build);
  uint64_t offset = 0;
  for (int tries = 0; tries < kTriesToFinish;) {
    ApiClient api(endpoint, settings);
    std::stop_callback cancel(stop, [&] { api.cancel(); });
    auto shown = api.preparation_log(id, offset, [&](std::string_view bytes) -> Result<void> {
      display.feed(bytes);
      offset += bytes.size();
      return {};
    });
    if (stop.stop_requested()) return;
    if (shown || shown.error().code == ErrorCode::not_found) break;
    if (is_finishing_) ++tries;
    if (!wait_unless_stopped(stop, kPause)) return;
  }
  display.end();
}

void PreparationWatch::finish() {
  is_finishing_ = true;
  if (thread_.joinable()) thread_.join();
}

std::unique_ptr<PreparationWatch> watch_preparation(Session& session, ExecutionId id, const EnvironmentRecipe& recipe) {
  if (!recipe.uses_container()) return nullptr;
  auto endpoint = session.endpoint();
  if (!endpoint) return nullptr;
  return std::make_unique<PreparationWatch>(std::move(*endpoint), session.client_settings(), id, session.messages(),
                                            session.configuration().quiet_build);
}

}  // namespace plz
