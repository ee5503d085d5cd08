// Any bytes as the records that plz-init left, and as what it said: a report in any case. The input is the
// records of start, exit and end, and the words, with NUL bytes between them.
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "init/contract.h"
#include "runtime/attempt_records.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto parts = plz::split(std::string_view(reinterpret_cast<const char*>(data), size), '\0');
  parts.resize(4);
  plz::AttemptRecords records;
  records.start = plz::parse_attempt_record(parts[0], plz::init::kStartMagic);
  records.exit = plz::parse_attempt_record(parts[1], plz::init::kExitMagic);
  records.end = plz::parse_attempt_record(parts[2], plz::init::kEndMagic);
  records.errors = parts[3];
  records.boot_id = "boot";
  for (plz::OomKills kills : {plz::OomKills(), plz::OomKills(0), plz::OomKills(1)})
    static_cast<void>(plz::exit_report(records, kills));
  return 0;
}
