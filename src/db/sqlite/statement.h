// A prepared statement with its parameters and its row. sqlite3.h stays in sqlite/'s .cc files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/clock.h"
#include "base/result.h"
#include "base/uuid.h"
#include "model/digest.h"

struct sqlite3_stmt;

namespace plz {

class Connection;

// Bytes for a BLOB column; a std::string_view goes to a TEXT column.
struct Bytes {
  std::string_view bytes;
};
// The same, of what outlives the statement's run: it is not copied.
struct BorrowedBytes {
  std::string_view bytes;
};
struct BorrowedText {
  std::string_view text;
};

// Not thread-safe; its connection's. Given back (reset, parameters cleared) when destroyed.
class Statement {
 public:
  Statement(Connection& connection, sqlite3_stmt* statement, bool owned)
      : connection_(&connection), statement_(statement), owned_(owned) {}
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  // Binds all parameters, in order. What cannot be bound is an error of the next step().
  template <typename... Values>
  void bind(const Values&... values) {
    reset();
    int index = 0;
    (bind_value(++index, values), ...);
  }
  // For statements whose number of parameters is not known when compiling.
  template <typename Value>
  void bind_at(int index, const Value& value) {
    bind_value(index, value);
  }

  Result<bool> step();  // false: no more rows
  Result<void> run();   // for statements without rows
  void reset();

  // Reads the row's columns, in order. Text and bytes are copied into std::string; into a
  // std::string_view they are not, which is valid until the next step().
  template <typename... Values>
  void read(Values&... values) {
    int column = 0;
    (read_value(column++, values), ...);
  }
  template <typename Value>
  Value column(int index) {
    Value value{};
    read_value(index, value);
    return value;
  }

 private:
  void bind_value(int index, int64_t value);
  void bind_value(int index, double value);
  void bind_value(int index, std::string_view value);
  void bind_value(int index, BorrowedText value);
  void bind_value(int index, Bytes value);
  void bind_value(int index, BorrowedBytes value);
  void bind_value(int index, std::nullopt_t);
  void bind_value(int index, const Uuid& value);
  void bind_value(int index, const std::string& value) { bind_value(index, std::string_view(value)); }
  void bind_value(int index, bool value) { bind_value(index, int64_t{value}); }
  void bind_value(int index, int value) { bind_value(index, int64_t{value}); }
  void bind_value(int index, uint32_t value) { bind_value(index, int64_t{value}); }
  void bind_value(int index, uint64_t value) { bind_value(index, static_cast<int64_t>(value)); }
  void bind_value(int index, Timestamp value) { bind_value(index, int64_t{value.time_since_epoch().count()}); }
  void bind_value(int index, const Digest& value) { bind_value(index, Bytes{value.view()}); }
  template <typename Tag>
  void bind_value(int index, const StrongId<Tag>& value) {
    bind_value(index, value.uuid());
  }
  template <typename Enum, typename = std::enable_if_t<std::is_enum_v<Enum>>>
  void bind_value(int index, Enum value) {
    bind_value(index, static_cast<int64_t>(value));
  }
  template <typename T>
  void bind_value(int index, const std::optional<T>& value) {
    if (value) bind_value(index, *value);
    else bind_value(index, std::nullopt);
  }

  bool is_null(int column);
  void read_value(int column, int64_t& value);
  void read_value(int column, double& value);
  void read_value(int column, std::string_view& value);
  void read_value(int column, Uuid& value);
  void read_value(int column, Digest& value);
  void read_value(int column, std::string& value) { value = this->column<std::string_view>(column); }
  void read_value(int column, bool& value) { value = this->column<int64_t>(column) != 0; }
  void read_value(int column, int& value) { value = static_cast<int>(this->column<int64_t>(column)); }
  void read_value(int column, uint8_t& value) { value = static_cast<uint8_t>(this->column<int64_t>(column)); }
  void read_value(int column, uint32_t& value) { value = static_cast<uint32_t>(this->column<int64_t>(column)); }
  void read_value(int column, uint64_t& value) { value = static_cast<uint64_t>(this->column<int64_t>(column)); }
  void read_value(int column, Timestamp& value) {
    value = Timestamp(std::chrono::microseconds(this->column<int64_t>(column)));
  }
  template <typename Tag>
  void read_value(int column, StrongId<Tag>& value) {
    value = StrongId<Tag>(this->column<Uuid>(column));
  }
  template <typename Enum, typename = std::enable_if_t<std::is_enum_v<Enum>>, typename = void>
  void read_value(int column, Enum& value) {
    value = static_cast<Enum>(this->column<int64_t>(column));
  }
  template <typename T>
  void read_value(int column, std::optional<T>& value) {
    value.reset();
    if (!is_null(column)) value = this->column<T>(column);
  }

  Connection* connection_;
  sqlite3_stmt* statement_;
  bool owned_;  // else the connection's cache has it
  int bind_error_ = 0;
};

}  // namespace plz
