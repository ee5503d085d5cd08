#include <memory>

#include <fmt/core.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include <zstd.h>

#include "base/text.h"
#include "store/little_endian.h"
#include "store/pack_format.h"

namespace plz {
namespace {

constexpr int kLevel = 1;
constexpr size_t kSampleBytes = 4096;
constexpr size_t kLeastWorthCompressing = 128;

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

// Kept for each thread: making a context costs more than compressing a small file.
ZSTD_CCtx* compression_context() {
  thread_local std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  return context.get();
}
ZSTD_DCtx* decompression_context() {
  thread_local std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  return context.get();
}

constexpr size_t worthwhile_bytes(size_t bytes) { return bytes - bytes / 8; }

// The compressed size, or 0 where it would exceed worthwhile_bytes.
size_t try_compress(std::string_view bytes, char* out) {
  size_t size =
      ZSTD_compressCCtx(compression_context(), out, worthwhile_bytes(bytes.size()), bytes.data(), bytes.size(), kLevel);
  return ZSTD_isError(size) ? 0 : size;
}

bool looks_compressible(std::string_view bytes) {
  if (bytes.size() < kLeastWorthCompressing) return false;
  if (bytes.size() <= 2 * kSampleBytes) return true;
  char out[kSampleBytes];
  return try_compress(bytes.substr((bytes.size() - kSampleBytes) / 2, kSampleBytes), out) != 0;
}

// Into kPackRecordHeaderBytes zeros.
void write_header(char* at, const PackRecordHeader& header) {
  const uint64_t fields[3] = {header.bytes, header.stored_bytes, header.checksum};
  memcpy(at, header.digest.bytes().data(), Digest::kBytes);
  memcpy(at + Digest::kBytes, fields, sizeof fields);
  at[Digest::kBytes + sizeof fields] = static_cast<char>(header.codec);
}

}  // namespace

void append_blob_to_pack(std::string& pack, const Digest& digest, std::string_view bytes) {
  if (pack.empty()) pack += kPackMagic;
  size_t header = pack.size();
  size_t stored_at = header + kPackRecordHeaderBytes;
  pack.append(kPackRecordHeaderBytes, '\0');
  size_t compressed = 0;
  if (looks_compressible(bytes)) {
    pack.resize(stored_at + worthwhile_bytes(bytes.size()));
    compressed = try_compress(bytes, pack.data() + stored_at);
    pack.resize(stored_at + compressed);
  }
  if (compressed == 0) pack += bytes;
  uint64_t stored_bytes = pack.size() - stored_at;
  write_header(pack.data() + header,
               {digest, bytes.size(), stored_bytes, XXH3_64bits(pack.data() + stored_at, stored_bytes),
                compressed ? Codec::zstd : Codec::raw});
}

void append_refusal_to_pack(std::string& pack, const Digest& digest, Codec refusal, std::string_view words) {
  append_pack_record_header(pack, {digest, words.size(), words.size(), checksum_of_stored(words), refusal});
  pack += words;
}

uint64_t checksum_of_stored(std::string_view stored) { return XXH3_64bits(stored.data(), stored.size()); }

void append_pack_record_header(std::string& pack, const PackRecordHeader& header) {
  pack.append(kPackRecordHeaderBytes, '\0');
  write_header(pack.data() + pack.size() - kPackRecordHeaderBytes, header);
}

Result<void> decode_blob(Codec codec, std::string_view stored, uint64_t bytes, uint64_t checksum, std::string& out) {
  if (XXH3_64bits(stored.data(), stored.size()) != checksum)
    return fail(ErrorCode::damaged, "a stored blob is damaged: its checksum does not match");
  if (codec == Codec::damaged)
    return fail(ErrorCode::damaged, printable(stored), "capture the same content again: the store takes it anew");
  if (codec == Codec::unavailable) return fail(ErrorCode::unavailable, printable(stored));
  if (bytes > kMaxBlobBytes)
    return fail(ErrorCode::invalid, fmt::format("a blob of {} bytes is larger than blobs can be", bytes));
  if (codec == Codec::raw) {
    if (stored.size() != bytes) return fail(ErrorCode::invalid, "a stored blob has another size than it says");
    out.assign(stored);
    return {};
  }
  out.resize(bytes);
  size_t size = ZSTD_decompressDCtx(decompression_context(), out.data(), out.size(), stored.data(), stored.size());
  if (ZSTD_isError(size))
    return fail(ErrorCode::invalid, fmt::format("a stored blob cannot be decompressed: {}", ZSTD_getErrorName(size)));
  if (size != bytes) return fail(ErrorCode::invalid, "a stored blob has another size than it says");
  return {};
}

}  // namespace plz
