// A pack fares alike whole and in pieces, and with the parser as with the reader.
#include <algorithm>
#include <cstdlib>

#include "store/pack_format.h"

namespace {

template <typename Reader>
bool takes(Reader& reader, std::string_view bytes, size_t piece) {
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
    if (!reader.feed(bytes.substr(0, piece))) return false;
  return reader.finish().has_value();
}

bool parser_takes(std::string_view bytes, size_t piece, bool verify) {
  plz::PackParser parser({[](const plz::PackRecordHeader&, uint64_t) -> plz::Result<void> { return {}; }}, verify);
  return takes(parser, bytes, piece);
}

bool reader_takes(std::string_view bytes, size_t piece) {
  plz::PackBlobReader reader([](const plz::Digest&, std::string_view) -> plz::Result<void> { return {}; });
  return takes(reader, bytes, piece);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  size_t piece = data[0] + 1;
  bool parsed = parser_takes(bytes, bytes.size() + 1, false);
  bool read = reader_takes(bytes, bytes.size() + 1);
  if (parsed != parser_takes(bytes, piece, false) || read != reader_takes(bytes, piece)) abort();
  if (read && !parsed) abort();
  if (parser_takes(bytes, piece, true) && !read) abort();
  return 0;
}
