#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include <fmt/core.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "os/file.h"
#include "store/capture/stat_cache.h"

namespace plz {
namespace {

constexpr size_t kBufferBytes = 1u << 20;

}  // namespace

struct StatCacheWriter::State {
  std::string path, temporary;
  UniqueFd fd;
  CacheHeader header = {};
  std::string buffer;
  uint64_t offset = 0;  // in the file, of the buffer's end
  XXH3_state_t checksum;
  bool committed = false;

  ~State() {
    if (fd && !committed) unlink(temporary.c_str());
  }
  void put(const void* bytes, size_t size) {
    buffer.append(static_cast<const char*>(bytes), size);
    offset += size;
  }
  Result<void> write_out() {
    XXH3_64bits_update(&checksum, buffer.data(), buffer.size());
    auto written = write_all(fd.get(), buffer);
    buffer.clear();
    if (!written) return fail(std::move(written).error().with_context(temporary));
    return {};
  }
};

StatCacheWriter::StatCacheWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
StatCacheWriter::StatCacheWriter(StatCacheWriter&&) noexcept = default;
StatCacheWriter::~StatCacheWriter() = default;

Result<StatCacheWriter> StatCacheWriter::create(const std::string& path, uint64_t root_key) {
  PLZ_TRY(make_directories(parent_path(path), 0700));
  auto state = std::make_unique<State>();
  state->path = path;
  state->temporary = fmt::format("{}.{}.tmp", path, gettid());
  PLZ_ASSIGN(state->fd, open_file(state->temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  memcpy(state->header.magic, kStatCacheMagic.data(), sizeof state->header.magic);
  state->header.root_key = root_key;
  XXH3_64bits_reset(&state->checksum);
  PLZ_TRY(write_all(state->fd.get(), {reinterpret_cast<const char*>(&state->header), sizeof state->header}));
  state->offset = sizeof state->header;
  return StatCacheWriter(std::move(state));
}

Result<uint64_t> StatCacheWriter::add(const CachedDirectoryHeader& header, std::span<const CachedEntry> entries,
                                      std::string_view names) {
  static constexpr char kPadding[8] = {};
  uint64_t offset = state_->offset;
  state_->put(&header, sizeof header);
  state_->put(entries.data(), entries.size_bytes());
  state_->put(names.data(), names.size());
  state_->put(kPadding, (8 - state_->offset % 8) % 8);
  if (state_->buffer.size() >= kBufferBytes) PLZ_TRY(state_->write_out());
  return offset;
}

// Not synced: the checksum tells a cache that a power cut left half on disk, and it is then ignored.
Result<void> StatCacheWriter::commit(uint64_t root_record, const Digest& stored_root) {
  State& state = *state_;
  PLZ_TRY(state.write_out());
  state.header.root_record = root_record;
  state.header.total_bytes = state.offset;
  state.header.checksum = XXH3_64bits_digest(&state.checksum);
  memcpy(state.header.stored_root, stored_root.bytes().data(), Digest::kBytes);
  PLZ_TRY(pwrite_all(state.fd.get(), {reinterpret_cast<const char*>(&state.header), sizeof state.header}, 0));
  if (rename(state.temporary.c_str(), state.path.c_str()) != 0) return fail_errno("cannot replace " + state.path);
  state.committed = true;
  return {};
}

}  // namespace plz
