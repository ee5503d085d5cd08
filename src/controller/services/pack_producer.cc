#include "controller/services/pack_producer.h"

#include <algorithm>
#include <span>

#include <fmt/core.h>

#include "base/log.h"
#include "base/patience.h"
#include "controller/services/damage_search.h"
#include "store/pack_format.h"

namespace plz {
namespace {

constexpr int kTriesToFind = 5;

std::string words_of(const BlobRecord& blob, const Error& error) {
  std::string_view what = "cannot be read";
  if (error.code == ErrorCode::damaged || error.code == ErrorCode::not_found) what = "is damaged";
  if (is_temporary(error.code)) what = "cannot be read just now";
  return fmt::format("the store's blob {} {}: {}", blob.digest.hex(), what, error.message);
}

}  // namespace

Producer::State PackProducer::produce(std::string& piece, size_t target_bytes) {
  if (!begun_) {
    piece += kPackMagic;
    begun_ = true;
  }
  while (piece.size() < target_bytes && next_ < blobs_.size()) append_some(piece, target_bytes);
  return next_ < blobs_.size() ? State::data : State::end;
}

void PackProducer::append_some(std::string& piece, size_t target_bytes) {
  if (done_ == 0) {
    if (auto loaded = load(); !loaded) return tell(piece, loaded.error());
    const BlobRecord& record = blobs_[next_];
    append_pack_record_header(piece, PackRecordHeader{record.digest, record.bytes, record.stored_bytes, record.checksum,
                                                      static_cast<Codec>(record.codec)});
  }
  size_t room = std::max(target_bytes > piece.size() ? target_bytes - piece.size() : 0, size_t{4096});
  std::string_view part = std::string_view(stored_).substr(done_, room);
  piece += part;
  done_ += part.size();
  if (done_ == stored_.size()) {
    ++next_;
    done_ = 0;
  }
}

Result<void> PackProducer::load() {
  stored_.resize(blobs_[next_].stored_bytes);
  PLZ_TRY(read_stored());
  const BlobRecord& blob = blobs_[next_];
  if (checksum_of_stored(stored_) != blob.checksum)
    return fail(ErrorCode::damaged,
                fmt::format("its bytes in the pack {} are not what was stored", PackId(blob.pack).to_string()));
  if (!blob.damaged) return {};
  if (auto marked = records_.mark_sound(blob.digest); !marked) log_error("{}", marked.error().message);
  return {};
}

Result<void> PackProducer::read_stored() {
  BlobRecord& blob = blobs_[next_];
  for (int tries = 0;; ++tries) {
    auto read = packs_.read(PackId(blob.pack), blob.offset, stored_.data(), stored_.size());
    if (read || read.error().code != ErrorCode::not_found || tries == kTriesToFind) return read;
    auto found = records_.find({&blob.digest, 1});
    // That says nothing of the blob.
    if (!found) return fail(ErrorCode::unavailable, found.error().message);
    if (!(*found)[0] || (*found)[0]->stored_bytes != blob.stored_bytes) return read;
    blob = *(*found)[0];
  }
}

void PackProducer::tell(std::string& piece, const Error& error) {
  const BlobRecord& blob = blobs_[next_];
  const std::string words = words_of(blob, error);
  log_error("{}", words);
  if (is_temporary(error.code)) {
    append_refusal_to_pack(piece, blob.digest, Codec::unavailable, words);
  } else {
    if (auto marked = mark(error); !marked) log_error("{}", marked.error().message);
    append_refusal_to_pack(piece, blob.digest, Codec::damaged, words);
  }
  next_ = blobs_.size();
}

// What else is damaged of what was asked for, or lies near it: the next capture is to heal all.
Result<void> PackProducer::mark(const Error& error) {
  PLZ_TRY(records_.mark_damaged({&blobs_[next_].digest, 1}, error.message));
  return DamageSearch(records_, packs_).mark_all(std::span(blobs_).subspan(next_));
}

}  // namespace plz
