// Whatever bytes decode as a list of chunks, encode to the same bytes.
#include <cstdlib>

#include "store/chunker.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto chunks = plz::decode_chunk_list(bytes);
  if (chunks && plz::encode_chunk_list(*chunks) != bytes) abort();
  return 0;
}
