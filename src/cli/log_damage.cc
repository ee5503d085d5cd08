#include "cli/log_damage.h"

#include <fmt/core.h>

#include "base/text.h"

namespace plz {

constexpr size_t kDamageTold = 5;

void warn_of_damage(Messages& messages, const std::vector<DamagedLog>& damage) {
  for (size_t i = 0; i < damage.size() && i < kDamageTold; ++i) {
    const DamagedLog& part = damage[i];
    messages.warning(fmt::format("The log of {} is damaged, bytes {} to {}: {}", part.execution_id, part.from,
                                 part.to - 1, printable(part.fault)));
  }
  if (damage.size() > kDamageTold)
    messages.warning(fmt::format("and {} more; plz check tells all", damage.size() - kDamageTold));
}

Result<bool> is_log_damaged(Session& session, Interrupt& interrupt, ExecutionId id, uint64_t offset) {
  auto damage = session.call([&](ApiClient& api) {
    auto subscription = interrupt.on_raise([&api] { api.cancel(); });
    return api.log_damage(id, offset);
  });
  if (!damage && interrupt.raised()) return false;
  if (!damage) return fail(std::move(damage).error().with_context("asking whether the log is sound"));
  warn_of_damage(session.messages(), *damage);
  return !damage->empty();
}

}  // namespace plz
