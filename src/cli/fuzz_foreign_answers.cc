// Any bytes as what git and a person's Python say, and as what a cache of the latter holds.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "cli/git_checkout.h"
#include "cli/python_inventory.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(plz::parse_git_status(text));
  static_cast<void>(plz::parse_git_ignored(text));
  static_cast<void>(plz::parse_git_modules(text));
  if (auto answer = plz::parse_python_answer(text); answer && answer->inventory.text.size() > size) abort();
  return 0;
}
