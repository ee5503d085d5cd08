// How a struct looks in JSON, said once for both directions: Shape<T>::members names each member to a
// JsonWriter or a JsonReader.
//
//   template <> struct Shape<Resources> {
//     static void members(auto& json, auto& value) { json.optional("cpus", value.cpus); }
//   };
#pragma once

#include <concepts>
#include <optional>
#include <string_view>

namespace plz {

template <typename T>
struct Shape;

// For an enum: name(T), parse(string_view) → optional<T>, and kExpected: "queued, running or finished".
template <typename T>
struct EnumNames;

template <typename T>
concept HasShape = requires {
  sizeof(Shape<T>);
};
template <typename T>
concept HasNames = requires {
  sizeof(EnumNames<T>);
};

}  // namespace plz
