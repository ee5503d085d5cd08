// The format of a pack, on disk and on the wire (version 1; little-endian):
//
//   pack   = magic "PLZPACK1" record*
//   record = digest[32] bytes:u64 stored_bytes:u64 checksum:u64 codec:u8 zero[7] stored[stored_bytes]
//
// `digest` is the SHA-256 of the blob's own bytes; `checksum` is XXH3-64 of the stored bytes, so that
// damage is found without hashing twice. A blob's BlobLocation::offset points at `stored`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/digest.h"

namespace plz {

inline constexpr std::string_view kPackMagic = "PLZPACK1";
inline constexpr size_t kPackRecordHeaderBytes = 64;
inline constexpr size_t kPackTargetBytes = 32u << 20;  // a pack is sent when it has grown to this
inline constexpr uint64_t kMaxBlobBytes = 64u << 20;   // larger files are cut in chunks (chunker.h)

enum class Codec : uint8_t {  // persisted: do not renumber
  raw = 0,
  zstd = 1,
  // On the wire only, in what a store sends: the blob is damaged there, or cannot be read just now. Words lie in the
  // place of its bytes, and nothing follows. Who does not know them refuses the pack.
  unavailable = 254,
  damaged = 255,
};

struct PackRecordHeader {
  Digest digest;
  uint64_t bytes = 0;
  uint64_t stored_bytes = 0;
  uint64_t checksum = 0;
  Codec codec = Codec::raw;
};

// Appends one blob to `pack`, writing the magic first if it is empty. Compresses with zstd, level 1,
// where that saves at least an eighth; a sample is tried first, so that incompressible data costs
// little.
void append_blob_to_pack(std::string& pack, const Digest& digest, std::string_view bytes);

// Says in the place of a blob that it cannot be had, and why. `refusal` is damaged or unavailable.
void append_refusal_to_pack(std::string& pack, const Digest& digest, Codec refusal, std::string_view words);
constexpr bool is_refusal(Codec codec) { return codec == Codec::damaged || codec == Codec::unavailable; }

// The 64 bytes before a record's stored bytes.
void append_pack_record_header(std::string& pack, const PackRecordHeader& header);

// Takes a pack in pieces of any size and hands out its records. `verify_digest` also recomputes each
// blob's SHA-256: for bytes from a peer that is not trusted. Memory: one record's header, and with
// verify_digest or a compressed blob, that blob.
class PackParser {
 public:
  struct Sink {
    // A record begins; `offset` is where its stored bytes begin within the pack.
    std::function<Result<void>(const PackRecordHeader&, uint64_t offset)> record;
  };
  PackParser(Sink sink, bool verify_digest);
  ~PackParser();
  Result<void> feed(std::string_view piece);
  // The end of the input: invalid if it is in the middle of a record.
  Result<void> finish();
  // What it keeps in memory just now.
  size_t held_bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

uint64_t checksum_of_stored(std::string_view stored);
// Decodes one blob's stored bytes. Verifies checksum and size; `out` is replaced. damaged: they are not what was
// stored. A refusal is returned as an error of its name.
Result<void> decode_blob(Codec codec, std::string_view stored, uint64_t bytes, uint64_t checksum, std::string& out);

// Reads a pack in pieces and calls `blob` with each whole blob, decoded and verified. damaged: one is, or the pack says
// that it is where it comes from; unavailable: the pack says that it cannot be read there just now.
class PackBlobReader {
 public:
  using OnBlob = std::function<Result<void>(const Digest&, std::string_view bytes)>;
  explicit PackBlobReader(OnBlob on_blob);
  ~PackBlobReader();
  Result<void> feed(std::string_view piece);
  Result<void> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace plz
