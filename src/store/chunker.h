// Cuts large files at content-defined boundaries, so that an insertion moves few of them.
// Algorithm: gear hash with normalised chunking, after FastCDC (Xia et al., USENIX ATC 2016). The
// parameters and the gear table are part of the format: a change of them re-sends every large file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/digest.h"

namespace plz {

inline constexpr size_t kMinChunkBytes = 128u << 10;
inline constexpr size_t kAverageChunkBytes = 512u << 10;
inline constexpr size_t kMaxChunkBytes = 2u << 20;
// Files of more bytes than this are chunked_file entries.
inline constexpr uint64_t kChunkedFileThreshold = 2u << 20;

// The length of the first chunk of `bytes`. `bytes` must reach kMaxChunkBytes or the file's end.
size_t next_chunk_length(std::string_view bytes);

struct ChunkReference {
  Digest digest;
  uint32_t bytes = 0;
  bool operator==(const ChunkReference&) const = default;
};
std::string encode_chunk_list(const std::vector<ChunkReference>& chunks);
Result<std::vector<ChunkReference>> decode_chunk_list(std::string_view bytes);

}  // namespace plz
