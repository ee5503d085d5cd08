// Request targets and addresses, as any peer or user may write them.
#include <cstdlib>

#include "net/http_client.h"
#include "net/http_types.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto target = plz::parse_target(text)) {
    std::string again = "/" + plz::percent_encode(target->path.substr(1)) + "?";
    for (const auto& [key, value] : target->query)
      again += "&" + plz::percent_encode(key) + "=" + plz::percent_encode(value);
    // "&=" is a key without letters, which stands; nothing else may change on the way.
    auto same = plz::parse_target(again);
    if (!same || same->path != target->path || same->query != target->query) abort();
  }
  if (auto endpoint = plz::parse_endpoint(text)) {
    auto same = plz::parse_endpoint(endpoint->to_string());
    if (!same || same->to_string() != endpoint->to_string()) abort();
  }
  return 0;
}
