// The list of a large file's chunks (version 1; little-endian):
//   list  = magic "PLZCHNK1" chunk*       chunk = digest[32] bytes:u32
#include "store/chunker.h"
#include "store/little_endian.h"

namespace plz {
namespace {

constexpr std::string_view kChunkListMagic = "PLZCHNK1";
constexpr size_t kReferenceBytes = Digest::kBytes + sizeof(uint32_t);

}  // namespace

std::string encode_chunk_list(const std::vector<ChunkReference>& chunks) {
  std::string out;
  out.reserve(kChunkListMagic.size() + chunks.size() * kReferenceBytes);
  out += kChunkListMagic;
  for (const auto& chunk : chunks) {
    out += chunk.digest.view();
    append_little_endian(out, chunk.bytes);
  }
  return out;
}

Result<std::vector<ChunkReference>> decode_chunk_list(std::string_view bytes) {
  if (!bytes.starts_with(kChunkListMagic)) return fail(ErrorCode::invalid, "not a list of chunks");
  bytes.remove_prefix(kChunkListMagic.size());
  if (bytes.size() % kReferenceBytes != 0) return fail(ErrorCode::invalid, "a list of chunks is cut short");
  std::vector<ChunkReference> chunks;
  chunks.reserve(bytes.size() / kReferenceBytes);
  LittleEndianReader reader(bytes);
  while (!reader.at_end()) {
    Digest digest = Digest::from_bytes(reader.bytes(Digest::kBytes).data());
    auto size = reader.number<uint32_t>();
    if (size == 0 || size > kMaxChunkBytes)
      return fail(ErrorCode::invalid, "a list of chunks names a chunk of an impossible size");
    chunks.push_back({digest, size});
  }
  return chunks;
}

}  // namespace plz
