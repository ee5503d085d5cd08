// JSON to values. Works on text that was checked (check_json), so that what goes wrong here is a
// member that is missing or of the wrong type, and the error names it: "resources.cpus must be a
// number". Members that are not known are passed over: a newer peer may send them.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/uuid.h"
#include "model/digest.h"
#include "model/json_text.h"
#include "wire/json_lexer.h"
#include "wire/shape.h"

namespace plz {

// Where in the document a value stands. Made into text only when there is something to complain of.
struct JsonPlace {
  const JsonPlace* parent = nullptr;
  std::string_view name;
  std::optional<size_t> index;
  std::string to_string() const;  // "executions[3].state"
};

// One object's members. The first error is kept, and ends all reading.
class JsonReader {
 public:
  static constexpr bool kReads = true;

  JsonReader(std::string_view text, const JsonPlace& place, std::optional<Error>& error);

  template <typename T>
  void required(std::string_view name, T& value) {
    if (auto text = find(name)) read(JsonPlace{&place_, name}, *text, value);
    else problem(JsonPlace{&place_, name}, "is missing");
  }
  // Absent or null: the value stays as it is.
  template <typename T>
  void optional(std::string_view name, T& value) {
    auto text = find(name);
    if (text && *text != "null") read(JsonPlace{&place_, name}, *text, value);
  }
  void object(std::string_view name, JsonText& value);  // optional, but an object where it is there
  // Reads a member that is an object with a Shape that T would not have by itself.
  template <typename T>
  void read_object(std::string_view name, T& value) {
    auto text = find(name);
    if (!text || text->front() != '{') return problem(name, "must be an object");
    JsonReader reader(*text, JsonPlace{&place_, name}, error_);
    Shape<T>::members(reader, value);
  }
  bool has(std::string_view name) const { return find(name).has_value(); }
  void problem(const JsonPlace& place, std::string_view what);
  void problem(std::string_view name, std::string_view what) { problem(JsonPlace{&place_, name}, what); }

  const std::vector<std::pair<std::string, std::string_view>>& members() const { return members_; }
  const JsonPlace& place() const { return place_; }

  template <HasShape T>
  void read(const JsonPlace& place, std::string_view text, T& value) {
    if (text.front() != '{') return problem(place, "must be an object");
    JsonReader reader(text, place, error_);
    Shape<T>::members(reader, value);
  }
  template <HasNames T>
  void read(const JsonPlace& place, std::string_view text, T& value) {
    auto parsed = text.front() == '"' ? EnumNames<T>::parse(decode_json_string(text)) : std::nullopt;
    if (parsed) value = *parsed;
    else problem(place, std::string("must be ") + std::string(EnumNames<T>::kExpected));
  }
  template <typename T>
  void read(const JsonPlace& place, std::string_view text, std::optional<T>& value) {
    value.reset();
    if (text != "null") read(place, text, value.emplace());
  }
  template <typename T>
  void read(const JsonPlace& place, std::string_view text, std::vector<T>& values) {
    if (text.front() != '[') return problem(place, "must be a list");
    values.clear();
    for (std::string_view element : elements(text)) {
      if (error_) return;
      JsonPlace at{&place, {}, values.size()};
      read(at, element, values.emplace_back());
    }
  }
  template <typename Tag>
  void read(const JsonPlace& place, std::string_view text, StrongId<Tag>& id) {
    auto parsed = text.front() == '"' ? StrongId<Tag>::parse(decode_json_string(text)) : std::nullopt;
    if (parsed) id = *parsed;
    else problem(place, "must be an id (a UUID)");
  }
  template <std::integral T>
  requires(!std::same_as<T, bool>) void read(const JsonPlace& place, std::string_view text, T& value) {
    if constexpr (std::same_as<T, uint64_t>) {
      read_unsigned(place, text, value);
    } else {
      int64_t wide = 0;
      read_signed(place, text, std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), wide);
      value = static_cast<T>(wide);
    }
  }
  void read(const JsonPlace& place, std::string_view text, bool& value);
  void read(const JsonPlace& place, std::string_view text, double& value);
  void read(const JsonPlace& place, std::string_view text, std::string& value);
  void read(const JsonPlace& place, std::string_view text, Digest& value);
  void read(const JsonPlace& place, std::string_view text, Timestamp& value);
  void read(const JsonPlace& place, std::string_view text, JsonText& value);

  static std::vector<std::string_view> elements(std::string_view array);

 private:
  std::optional<std::string_view> find(std::string_view name) const;
  void read_unsigned(const JsonPlace& place, std::string_view text, uint64_t& value);
  void read_signed(const JsonPlace& place, std::string_view text, int64_t min, int64_t max, int64_t& value);

  JsonPlace place_;
  std::optional<Error>& error_;
  std::vector<std::pair<std::string, std::string_view>> members_;
};

// Checks the text and reads one value from it.
template <typename T>
Result<T> read_document(std::string_view json) {
  if (auto checked = check_json(json, JsonDialect::strict, kMaxDocumentDepth); !checked)
    return fail(std::move(checked).error().with_context("not valid JSON"));
  std::optional<Error> error;
  T value{};
  std::string_view text = first_json_value(json);
  if (text.front() != '{') return fail(ErrorCode::invalid, "the document must be an object");
  JsonReader reader(text, JsonPlace{}, error);
  Shape<T>::members(reader, value);
  if (error) return fail(std::move(*error));
  return value;
}

}  // namespace plz
