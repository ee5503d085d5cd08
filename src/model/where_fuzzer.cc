// Whatever the text, parse_where answers with a tree or with an error that names a column inside it.
#include <cstdlib>

#include "model/where.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto where = plz::parse_where({reinterpret_cast<const char*>(data), size});
  if (!where && where.error().message.rfind("where, column ", 0) != 0) abort();
  return 0;
}
