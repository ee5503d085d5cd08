// The body of an answer: a pack of blobs that are stored, without decoding them.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "controller/pumped_stream.h"
#include "db/blob_records.h"
#include "store/pack_store.h"

namespace plz {

class PackProducer final : public Producer {
 public:
  PackProducer(std::vector<BlobRecord> found, BlobRecords& records, PackStore& packs)
      : blobs_(std::move(found)), records_(records), packs_(packs) {}

  State produce(std::string& piece, size_t target_bytes) override;

 private:
  // Appends a record's header, if it is not out yet, and the next part of its stored bytes.
  void append_some(std::string& piece, size_t target_bytes);
  // All of a blob before any of it goes out: nobody can take back what was sent.
  Result<void> load();
  // A pack that was rewritten meanwhile is gone; its blobs lie elsewhere, stored as they were.
  Result<void> read_stored();
  // In the place of the blob, and as the last of the pack: whoever waits for it learns why it does not come.
  void tell(std::string& piece, const Error& error);
  Result<void> mark(const Error& error);

  std::vector<BlobRecord> blobs_;
  BlobRecords& records_;
  PackStore& packs_;
  std::string stored_;  // of the next one
  size_t next_ = 0;
  size_t done_ = 0;
  bool begun_ = false;
};

}  // namespace plz
