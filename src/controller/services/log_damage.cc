#include "controller/services/log_damage.h"

#include <algorithm>

namespace plz {

Result<LogsFound> look_at_log(const ExecutionService& executions, LogStore& logs, const Execution& execution,
                              LogKind kind, uint64_t from) {
  LogsFound found;
  if (!execution.attempt_id || execution.spec.is_composite()) return found;
  PLZ_ASSIGN(LogLook look, logs.look(log_of(*execution.attempt_id, kind), from));
  found.logs = look.bytes > 0 || !look.damage.empty() ? 1 : 0;
  found.bytes = look.bytes > from ? look.bytes - from : 0;
  PLZ_ASSIGN(const Attempt attempt, executions.attempt(*execution.attempt_id));
  if (kind == LogKind::job && attempt.log_complete) {
    const uint64_t told = look.damage.empty() ? 0 : look.damage.back().to;
    const uint64_t known_until = std::max({look.bytes, told, from});
    if (attempt.log_bytes > known_until) look.damage.push_back({known_until, attempt.log_bytes, "they are gone"});
    if (look.bytes > std::max({attempt.log_bytes, told, from}))
      look.damage.push_back({attempt.log_bytes, look.bytes, "nobody wrote them"});
    if (attempt.log_bytes > 0) found.logs = 1;
  }
  for (const LogDamage& damage : look.damage) {
    if (found.damage.size() == kMostDamage) break;
    found.damage.push_back({execution.id.to_string(), attempt.id.to_string(),
                            kind == LogKind::job ? "job" : "preparation", damage.from, damage.to, damage.fault, false});
  }
  return found;
}

Result<void> have_sent_again(LogStore& logs, LogsFound& found, const Execution& execution, LogKind kind) {
  if (found.damage.empty() || execution.state == ExecutionState::finished) return {};
  PLZ_ASSIGN(const bool again, logs.take_anew(log_of(*execution.attempt_id, kind), 0));
  for (DamagedLog& damage : found.damage) damage.sent_again = again;
  return {};
}

}  // namespace plz
