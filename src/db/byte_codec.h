// Values as bytes, for the columns that hold a whole struct. Numbers are LEB128 varints (signed ones
// zigzag), doubles their eight bytes, little-endian; text is its length and its bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/digest.h"
#include "model/ids.h"

namespace plz {

class ByteWriter {
 public:
  void number(uint64_t value);
  void signed_number(int64_t value);
  void real(double value);
  void flag(bool value) { number(value ? 1 : 0); }
  void text(std::string_view value);
  void raw(std::string_view bytes) { bytes_ += bytes; }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads what ByteWriter wrote. After the first thing that does not fit, ok() is false, and all that
// is read further is empty: check once, at the end. Reads no byte outside of `bytes`.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  uint64_t number();
  int64_t signed_number();
  double real();
  bool flag();
  std::string text() { return std::string(raw(number())); }
  std::string_view raw(uint64_t size);
  // A number of things to come, each at least a byte: what cannot be true is refused here, so that
  // nobody reserves memory for it.
  size_t count();

  void refuse() { ok_ = false, rest_ = {}; }
  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace plz
