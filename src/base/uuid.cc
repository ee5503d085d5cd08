#include "base/uuid.h"

#include <sys/random.h>

#include <algorithm>
#include <cstring>
#include <mutex>

namespace plz {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// RFC 9562, method 3: milliseconds, then 12 bits of finer time that also serve as a counter.
std::mutex tick_mutex;
uint64_t last_tick = 0;  // guarded by tick_mutex

uint64_t next_tick(const Clock& clock) {
  auto micros = static_cast<uint64_t>(clock.now().time_since_epoch().count());
  uint64_t tick = ((micros / 1000) << 12) | ((micros % 1000) * 4096 / 1000);
  std::lock_guard lock(tick_mutex);
  last_tick = tick > last_tick ? tick : last_tick + 1;
  return last_tick;
}

}  // namespace

Uuid Uuid::make_v7(const Clock& clock) {
  Uuid uuid;
  uint64_t tick = next_tick(clock);
  uint64_t millis = tick >> 12;
  auto& b = uuid.bytes_;
  if (getrandom(b.data() + 8, 8, 0) != 8) memset(b.data() + 8, 0, 8);
  for (int i = 0; i < 6; ++i) b[i] = static_cast<uint8_t>(millis >> (8 * (5 - i)));
  b[6] = static_cast<uint8_t>(0x70 | ((tick >> 8) & 0x0f));
  b[7] = static_cast<uint8_t>(tick);
  b[8] = static_cast<uint8_t>(0x80 | (b[8] & 0x3f));
  return uuid;
}

void Uuid::stay_above(const Uuid& uuid) {
  const auto& b = uuid.bytes_;
  if (b[6] >> 4 != 7) return;
  uint64_t millis = 0;
  for (int i = 0; i < 6; ++i) millis = millis << 8 | b[i];
  const uint64_t tick = millis << 12 | (b[6] & 0x0fu) << 8 | b[7];
  std::lock_guard lock(tick_mutex);
  last_tick = std::max(last_tick, tick);
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Uuid uuid;
  size_t byte = 0;
  for (size_t i = 0; i < 36;) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i++] != '-') return std::nullopt;
      continue;
    }
    int high = hex_value(text[i]), low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    uuid.bytes_[byte++] = static_cast<uint8_t>(high << 4 | low);
    i += 2;
  }
  return uuid;
}

std::string Uuid::to_string() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kDigits[bytes_[i] >> 4];
    text += kDigits[bytes_[i] & 15];
  }
  return text;
}

}  // namespace plz

size_t std::hash<plz::Uuid>::operator()(const plz::Uuid& uuid) const noexcept {
  size_t value;
  memcpy(&value, uuid.bytes().data() + 8, sizeof value);
  return value;
}
