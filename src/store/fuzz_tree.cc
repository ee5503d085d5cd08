// Whatever bytes decode as a tree, encode to the same bytes.
#include <cstdlib>

#include "store/tree.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto tree = plz::decode_tree(bytes);
  if (tree && plz::encode_tree(*tree) != bytes) abort();
  return 0;
}
