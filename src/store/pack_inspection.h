// Reads a pack for what is sound in it, without any record of what should be there.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/pack_format.h"
#include "store/pack_store.h"

namespace plz {

struct PackInspection {
  uint64_t blobs = 0;    // sound ones
  uint64_t damaged = 0;  // whose bytes are not what their headers say
  std::string broken;    // not "": why nothing could be told of what lies behind
};

// `on_blob` is called with each blob whose digest is that of its bytes, decoded; `bytes` is valid during the call. Goes
// on past a blob that is damaged. An error only where the pack cannot be read at all, or of `on_blob`. Memory: a blob.
using OnSoundBlob = std::function<Result<void>(const PackRecordHeader&, uint64_t offset, std::string_view bytes)>;
Result<PackInspection> inspect_pack(PackStore& packs, PackId id, const OnSoundBlob& on_blob);

}  // namespace plz
