// UUIDs of version 7 (RFC 9562): sortable by time of creation.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace plz {

class Uuid {
 public:
  Uuid() = default;  // all zeros

  // Thread-safe. Ids made by one process are strictly increasing, also when the clock jumps back.
  static Uuid make_v7(const Clock& clock);
  // Also those that this process makes from now on are greater than this one, which another has made.
  static void stay_above(const Uuid& uuid);
  // Takes the 36-character form, upper or lower case.
  static std::optional<Uuid> parse(std::string_view text);
  static Uuid from_bytes(const void* sixteen_bytes) {
    Uuid uuid;
    memcpy(uuid.bytes_.data(), sixteen_bytes, uuid.bytes_.size());
    return uuid;
  }

  std::string to_string() const;  // 36 characters, lower case
  bool is_nil() const { return *this == Uuid(); }
  const std::array<uint8_t, 16>& bytes() const { return bytes_; }

  auto operator<=>(const Uuid&) const = default;

 private:
  std::array<uint8_t, 16> bytes_{};
};

// A distinct type for each kind of id, so that swapped arguments do not compile.
template <typename Tag>
class StrongId {
 public:
  StrongId() = default;
  explicit StrongId(Uuid uuid) : uuid_(uuid) {}
  static StrongId make(const Clock& clock) { return StrongId(Uuid::make_v7(clock)); }
  static void stay_above(const StrongId& id) { Uuid::stay_above(id.uuid_); }
  static std::optional<StrongId> parse(std::string_view text) {
    auto uuid = Uuid::parse(text);
    if (!uuid) return std::nullopt;
    return StrongId(*uuid);
  }
  std::string to_string() const { return uuid_.to_string(); }
  const Uuid& uuid() const { return uuid_; }
  bool is_nil() const { return uuid_.is_nil(); }
  auto operator<=>(const StrongId&) const = default;

 private:
  Uuid uuid_;
};

}  // namespace plz

template <>
struct std::hash<plz::Uuid> {
  size_t operator()(const plz::Uuid& uuid) const noexcept;
};
template <typename Tag>
struct std::hash<plz::StrongId<Tag>> {
  size_t operator()(const plz::StrongId<Tag>& id) const noexcept { return std::hash<plz::Uuid>()(id.uuid()); }
};
