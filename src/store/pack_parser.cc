#include <optional>

#include <fmt/core.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "store/hasher.h"
#include "store/little_endian.h"
#include "store/pack_format.h"
#include "store/record_scanner.h"

namespace plz {
namespace {

Result<PackRecordHeader> decode_header(std::string_view bytes) {
  LittleEndianReader reader(bytes);
  PackRecordHeader header;
  header.digest = Digest::from_bytes(reader.bytes(Digest::kBytes).data());
  header.bytes = reader.number<uint64_t>();
  header.stored_bytes = reader.number<uint64_t>();
  header.checksum = reader.number<uint64_t>();
  auto codec = reader.number<uint8_t>();
  header.codec = static_cast<Codec>(codec);
  std::string_view padding = reader.bytes(7);
  if (codec > static_cast<uint8_t>(Codec::zstd) && !is_refusal(header.codec))
    return fail(ErrorCode::invalid, fmt::format("a pack has a record of the unknown codec {}", codec));
  if (padding.find_first_not_of('\0') != padding.npos) return fail(ErrorCode::invalid, "a pack has a damaged record");
  bool sizes_fit = header.codec != Codec::zstd ? header.stored_bytes == header.bytes
                                               : header.stored_bytes > 0 && header.stored_bytes < header.bytes;
  if (!sizes_fit || header.bytes > kMaxBlobBytes)
    return fail(ErrorCode::invalid, "a pack has a record of an impossible size");
  return header;
}

}  // namespace

bool RecordScanner::fill_head(std::string_view& piece, size_t size) {
  size_t taken = std::min(piece.size(), size - head_.size());
  head_ += piece.substr(0, taken);
  piece.remove_prefix(taken);
  offset_ += taken;
  return head_.size() == size;
}

Result<void> RecordScanner::take_stored(std::string_view& piece) {
  size_t taken = std::min<uint64_t>(piece.size(), stored_left_);
  if (taken > 0) PLZ_TRY(receiver_.stored(piece.substr(0, taken)));
  piece.remove_prefix(taken);
  offset_ += taken;
  stored_left_ -= taken;
  if (stored_left_ > 0) return {};
  in_record_ = false;
  return receiver_.end();
}

Result<void> RecordScanner::feed(std::string_view piece) {
  if (!magic_seen_) {
    if (!fill_head(piece, kPackMagic.size())) return {};
    if (head_ != kPackMagic) return fail(ErrorCode::invalid, "not a pack of this version");
    magic_seen_ = true;
    head_.clear();
  }
  while (!piece.empty()) {
    if (!in_record_) {
      if (!fill_head(piece, kPackRecordHeaderBytes)) return {};
      PLZ_ASSIGN(PackRecordHeader header, decode_header(head_));
      head_.clear();
      in_record_ = true;
      stored_left_ = header.stored_bytes;
      PLZ_TRY(receiver_.begin(header, offset_));
    }
    PLZ_TRY(take_stored(piece));
  }
  return {};
}

Result<void> RecordScanner::finish() const {
  if (!magic_seen_ || in_record_ || !head_.empty()) return fail(ErrorCode::invalid, "a pack is cut short");
  return {};
}

struct PackParser::State final : RecordScanner::Receiver {
  State(Sink s, bool verify) : sink(std::move(s)), verify_digest(verify), scanner(*this) {}

  Result<void> begin(const PackRecordHeader& h, uint64_t offset) override {
    if (is_refusal(h.codec)) return fail(ErrorCode::invalid, "a pack says of a blob that it cannot be had");
    header = h;
    compressed.clear();
    XXH3_64bits_reset(&checksum);
    return sink.record(header, offset);
  }
  Result<void> stored(std::string_view part) override {
    XXH3_64bits_update(&checksum, part.data(), part.size());
    if (!verify_digest) return {};
    if (header.codec == Codec::raw) hasher.update(part);
    else compressed += part;
    return {};
  }
  Result<void> end() override {
    if (XXH3_64bits_digest(&checksum) != header.checksum)
      return fail(ErrorCode::invalid, "a pack is damaged: the checksum of " + header.digest.hex() + " does not match");
    if (!verify_digest) return {};
    if (header.codec != Codec::raw) {
      PLZ_TRY(decode_blob(header.codec, compressed, header.bytes, header.checksum, decoded));
      hasher.update(decoded);
    }
    if (hasher.finish() != header.digest)
      return fail(ErrorCode::invalid, "a pack holds other bytes than " + header.digest.hex() + " names");
    return {};
  }

  Sink sink;
  bool verify_digest;
  RecordScanner scanner;
  PackRecordHeader header;
  XXH3_state_t checksum;
  Hasher hasher;
  std::string compressed, decoded;
};

PackParser::PackParser(Sink sink, bool verify_digest)
    : state_(std::make_unique<State>(std::move(sink), verify_digest)) {}
PackParser::~PackParser() = default;
Result<void> PackParser::feed(std::string_view piece) { return state_->scanner.feed(piece); }
Result<void> PackParser::finish() { return state_->scanner.finish(); }
size_t PackParser::held_bytes() const { return state_->compressed.capacity() + state_->decoded.capacity(); }

struct PackBlobReader::State final : RecordScanner::Receiver {
  explicit State(OnBlob callback) : on_blob(std::move(callback)), scanner(*this) {}

  Result<void> begin(const PackRecordHeader& h, uint64_t) override {
    header = h;
    whole = {};
    gathered.clear();
    return {};
  }
  Result<void> stored(std::string_view part) override {
    if (part.size() == header.stored_bytes)
      whole = part;  // decoded where it lies: take_stored calls end() before the piece goes away
    else gathered += part;
    return {};
  }
  Result<void> end() override {
    std::string_view bytes = whole.data() ? whole : std::string_view(gathered);
    if (header.codec == Codec::raw && XXH3_64bits(bytes.data(), bytes.size()) == header.checksum)
      return on_blob(header.digest, bytes);  // without a copy
    PLZ_TRY(decode_blob(header.codec, bytes, header.bytes, header.checksum, decoded));
    return on_blob(header.digest, decoded);
  }

  OnBlob on_blob;
  RecordScanner scanner;
  PackRecordHeader header;
  std::string_view whole;
  std::string gathered, decoded;
};

PackBlobReader::PackBlobReader(OnBlob on_blob) : state_(std::make_unique<State>(std::move(on_blob))) {}
PackBlobReader::~PackBlobReader() = default;
Result<void> PackBlobReader::feed(std::string_view piece) { return state_->scanner.feed(piece); }
Result<void> PackBlobReader::finish() { return state_->scanner.finish(); }

}  // namespace plz
