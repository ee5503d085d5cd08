// Where the bytes of packs lie. A pack is a file of many blobs (pack_format.h); it is written once,
// never changed, and named by a UUID. Local directory, memory, later S3: one contract, one test
// suite (pack_store_contract_test.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"

namespace plz {

using PackId = StrongId<struct PackIdTag>;

// Where one blob lies. A record of the database.
struct BlobLocation {
  PackId pack;
  uint64_t offset = 0;        // of the stored bytes within the pack
  uint64_t stored_bytes = 0;  // as stored: compressed, perhaps
  uint64_t bytes = 0;         // of the blob itself
  uint8_t codec = 0;          // pack_format.h's Codec
  uint64_t checksum = 0;      // XXH3-64 of the stored bytes
  bool operator==(const BlobLocation&) const = default;
};

// One pack on its way. Destroyed without commit(): nothing stays. Not thread-safe.
class PackWriter {
 public:
  virtual ~PackWriter() = default;
  virtual Result<void> append(std::string_view bytes) = 0;
  // On return the pack is durable and can be read.
  virtual Result<void> commit() = 0;
};

// Thread-safe.
class PackStore {
 public:
  virtual ~PackStore() = default;
  virtual Result<std::unique_ptr<PackWriter>> create(PackId id) = 0;
  // Reads exactly `size` bytes; not_found if there is no such pack, damaged if it is shorter.
  virtual Result<void> read(PackId id, uint64_t offset, void* buffer, size_t size) = 0;
  virtual Result<uint64_t> size(PackId id) = 0;
  virtual Result<void> remove(PackId id) = 0;  // absent: success
  virtual Result<std::vector<PackId>> list() = 0;
  // Says that the pack's records are stored: from then on it is there for good, whatever a database knows of it.
  // Need not be durable: what crashes in between leaves a pack that has records, and whoever finds it says it again.
  virtual Result<void> settle(PackId id) = 0;
  // Those of list() that were committed and not settled.
  virtual Result<std::vector<PackId>> unsettled() = 0;
};

// What every kind of store says of one.
inline Error no_such_pack(PackId id) { return {ErrorCode::not_found, "there is no pack " + id.to_string(), {}}; }

}  // namespace plz
