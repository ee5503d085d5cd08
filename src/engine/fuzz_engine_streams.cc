// Whatever bytes an engine sends, in whatever pieces, they come to the same.
#include <cstdlib>

#include "engine/engine_json.h"
#include "engine/engine_streams.h"

namespace {

template <typename Framing>
std::string read_in_pieces(std::string_view bytes, size_t piece) {
  std::string got;
  Framing framing([&](std::string_view part) -> plz::Result<void> {
    got += part;
    return {};
  });
  while (!bytes.empty() && framing.feed(bytes.substr(0, piece))) bytes.remove_prefix(std::min(piece, bytes.size()));
  return got;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (read_in_pieces<plz::LogFrames>(bytes, 3) != read_in_pieces<plz::LogFrames>(bytes, 1)) abort();
  if (read_in_pieces<plz::JsonLines>(bytes, 3) != read_in_pieces<plz::JsonLines>(bytes, 1)) abort();
  (void)plz::engine_json::read_stream_line(bytes);
  (void)plz::engine_json::read_container(bytes);
  (void)plz::engine_json::read_image(bytes);
  return 0;
}
