// Values to JSON. See shape.h for how a struct says its members.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/clock.h"
#include "base/uuid.h"
#include "model/digest.h"
#include "model/json_text.h"
#include "wire/shape.h"

namespace plz {

// Writes one document. Members are separated by ", ", as everywhere in plz.
class JsonWriter {
 public:
  static constexpr bool kReads = false;

  template <typename T>
  void required(std::string_view name, const T& value) {
    begin_member(name);
    write(value);
  }
  template <typename T>
  void optional(std::string_view name, const T& value) {
    required(name, value);
  }
  void object(std::string_view name, const JsonText& value) { required(name, value); }

  template <HasShape T>
  void write(const T& value) {
    open('{');
    Shape<T>::members(*this, value);
    close('}');
  }
  template <HasNames T>
  void write(const T& value) {
    write(EnumNames<T>::name(value));
  }
  template <typename T>
  void write(const std::optional<T>& value) {
    if (value) write(*value);
    else raw("null");
  }
  template <typename T>
  void write(const std::vector<T>& values) {
    open('[');
    for (const T& value : values) {
      comma();
      write(value);
    }
    close(']');
  }
  template <typename Tag>
  void write(const StrongId<Tag>& id) {
    write(std::string_view(id.to_string()));
  }
  template <std::integral T>
  void write(T value) {
    if constexpr (std::same_as<T, bool>) raw(value ? "true" : "false");
    else raw(std::to_string(value));
  }
  void write(double value);
  void write(std::string_view bytes);  // text, or {"base64": …} where it is not UTF-8
  void write(const std::string& bytes) { write(std::string_view(bytes)); }
  void write(const char* text) { write(std::string_view(text)); }
  void write(const Digest& digest) { write(std::string_view(digest.hex())); }
  void write(Timestamp time) { write(std::string_view(format_rfc3339(time))); }
  void write(const JsonText& json) { raw(json.text); }

  void open(char bracket);
  void close(char bracket);
  void comma();
  void begin_member(std::string_view name);
  void raw(std::string_view json) { out_ += json; }

  std::string take() { return std::move(out_); }

 private:
  std::string out_;
  bool fresh_ = true;  // nothing yet in the innermost bracket
};

template <typename T>
std::string write_document(const T& value) {
  JsonWriter writer;
  writer.write(value);
  return writer.take();
}

}  // namespace plz
