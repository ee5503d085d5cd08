// Cuts a pack that comes in pieces into its records. Inside store/ only.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/pack_format.h"

namespace plz {

// Checks what a header says (sizes, codec, padding), not the stored bytes.
class RecordScanner {
 public:
  class Receiver {
   public:
    virtual ~Receiver() = default;
    virtual Result<void> begin(const PackRecordHeader& header, uint64_t offset) = 0;
    // A part of the stored bytes; several for one record, none for an empty one.
    virtual Result<void> stored(std::string_view part) = 0;
    virtual Result<void> end() = 0;
  };

  explicit RecordScanner(Receiver& receiver) : receiver_(receiver) {}
  Result<void> feed(std::string_view piece);
  Result<void> finish() const;

 private:
  // Fills head_ up to `size` from `piece`; false if `piece` ran out before.
  bool fill_head(std::string_view& piece, size_t size);
  Result<void> take_stored(std::string_view& piece);

  Receiver& receiver_;
  std::string head_;     // of the magic, or of a record's header, what has come so far
  uint64_t offset_ = 0;  // in the pack, of what comes next
  uint64_t stored_left_ = 0;
  bool magic_seen_ = false, in_record_ = false;
};

}  // namespace plz
