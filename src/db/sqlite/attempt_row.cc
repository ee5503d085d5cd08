#include "db/sqlite/attempt_row.h"

#include "db/spec_codec.h"

namespace plz {

namespace {

const std::string kSave = std::string("INSERT INTO attempts (") + kAttemptColumns +
                          ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
                          "instance = excluded.instance, ordinal = excluded.ordinal, gpu_ids = excluded.gpu_ids, "
                          "started = excluded.started, ended = excluded.ended, log_bytes = excluded.log_bytes, "
                          "log_complete = excluded.log_complete WHERE execution = excluded.execution";

}  // namespace

Result<Attempt> read_attempt(Statement& row) {
  Attempt attempt;
  std::string_view gpu_ids;
  row.read(attempt.id, attempt.execution_id, attempt.instance_id, attempt.number, gpu_ids, attempt.started,
           attempt.ended, attempt.log_bytes, attempt.log_complete);
  PLZ_ASSIGN(attempt.gpu_ids, decode_strings(gpu_ids));
  return attempt;
}

Result<void> save_attempt(Connection& connection, const Attempt& attempt) {
  PLZ_ASSIGN(Statement save, connection.statement(kSave));
  save.bind(attempt.id, attempt.execution_id, attempt.instance_id, attempt.number,
            Bytes{encode_strings(attempt.gpu_ids)}, attempt.started, attempt.ended, attempt.log_bytes,
            attempt.log_complete);
  return save.run();
}

}  // namespace plz
