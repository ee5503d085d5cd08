// Whatever the bytes, they decode to a spec that survives another round, or are refused.
#include <cstdlib>

#include "db/spec_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto spec = plz::decode_spec(bytes);
  // By bytes: a spec may hold a NaN, which does not equal itself.
  if (spec && plz::encode_spec(*plz::decode_spec(plz::encode_spec(*spec))) != plz::encode_spec(*spec)) abort();
  (void)plz::decode_attributes(bytes);
  (void)plz::decode_variables(bytes);
  (void)plz::decode_strings(bytes);
  (void)plz::decode_runtimes(bytes);
  return 0;
}
