#include "store/pack_inspection.h"

#include <algorithm>

#include "store/hasher.h"
#include "store/record_scanner.h"

namespace plz {
namespace {

constexpr size_t kPieceBytes = 1u << 20;

class Inspector final : public RecordScanner::Receiver {
 public:
  Inspector(const OnSoundBlob& on_blob, PackInspection& found) : on_blob_(on_blob), found_(found) {}

  Result<void> begin(const PackRecordHeader& header, uint64_t offset) override {
    header_ = header;
    offset_ = offset;
    stored_.clear();
    return {};
  }
  Result<void> stored(std::string_view part) override {
    stored_ += part;
    return {};
  }
  Result<void> end() override {
    const bool is_sound = decode_blob(header_.codec, stored_, header_.bytes, header_.checksum, decoded_).has_value() &&
                          digest_of(decoded_) == header_.digest;
    if (!is_sound) return ++found_.damaged, Result<void>();
    ++found_.blobs;
    auto taken = on_blob_(header_, offset_, decoded_);
    refused_ = refused_ || !taken;
    return taken;
  }
  bool refused() const { return refused_; }

 private:
  const OnSoundBlob& on_blob_;
  PackInspection& found_;
  PackRecordHeader header_;
  uint64_t offset_ = 0;
  std::string stored_, decoded_;
  bool refused_ = false;
};

}  // namespace

Result<PackInspection> inspect_pack(PackStore& packs, PackId id, const OnSoundBlob& on_blob) {
  PackInspection found;
  Inspector inspector(on_blob, found);
  RecordScanner scanner(inspector);
  PLZ_ASSIGN(const uint64_t size, packs.size(id));
  std::string piece;
  for (uint64_t at = 0; at < size; at += piece.size()) {
    piece.resize(std::min<uint64_t>(kPieceBytes, size - at));
    PLZ_TRY(packs.read(id, at, piece.data(), piece.size()));
    auto fed = scanner.feed(piece);
    if (!fed && inspector.refused()) return fail(std::move(fed).error());
    if (!fed) return found.broken = fed.error().message, found;
  }
  if (auto finished = scanner.finish(); !finished) found.broken = finished.error().message;
  return found;
}

}  // namespace plz
