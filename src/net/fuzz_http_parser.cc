// Messages as any peer may send them, cut in pieces as any network may cut them: the cuts must not
// change what is understood.
#include <cstdlib>
#include <string>

#include "net/http_parser.h"

namespace {

struct Outcome {
  bool head = false, wrong = false, complete = false;
  std::string body;
  bool operator==(const Outcome&) const = default;
};

Outcome parse(std::string_view bytes, size_t piece, bool is_request) {
  auto parser = is_request ? plz::HttpParser::for_request(4096) : plz::HttpParser::for_response(4096, false);
  Outcome outcome;
  plz::HttpParser::Take take = [&](std::string_view part) {
    size_t n = std::min(part.size(), piece);
    outcome.body += part.substr(0, n);
    return n;
  };
  size_t begin = 0;
  for (size_t end = std::min(piece, bytes.size());; end = std::min(end + piece, bytes.size())) {
    for (;;) {
      auto unused = bytes.substr(begin, end - begin);
      if (outcome.head && parser.complete()) break;
      auto used = outcome.head ? parser.parse_body(unused, take) : parser.parse_head(unused);
      if (!used) {
        outcome.wrong = true;
        return outcome;
      }
      if (*used > unused.size()) abort();
      begin += *used;
      if (*used > 0) outcome.head = true;
      if (*used == 0) break;
    }
    if (end == bytes.size()) break;
  }
  if (outcome.head) outcome.complete = parser.finish();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data + 2), size - 2);
  bool is_request = data[0] & 1;
  size_t piece = data[1] + 1u;
  Outcome whole = parse(bytes, bytes.size() + 1, is_request);
  Outcome pieces = parse(bytes, piece, is_request);
  if (!(whole == pieces)) abort();
  return 0;
}
