#include "model/ids.h"

namespace plz {

Uuid preparation_log_of(AttemptId attempt) {
  auto bytes = attempt.uuid().bytes();
  bytes[6] = static_cast<uint8_t>(0x80 | (bytes[6] & 0x0f));
  return Uuid::from_bytes(bytes.data());
}

}  // namespace plz
