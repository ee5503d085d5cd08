// Any bytes as any document: it is refused, or writing it and reading that gives the same again.
#include <cstdint>
#include <cstdlib>

#include "wire/execution_json.h"
#include "wire/instance_json.h"
#include "wire/measures_json.h"
#include "wire/worker_api.h"

namespace {

template <typename Read, typename Write>
void check(std::string_view json, Read read, Write write) {
  auto value = read(json);
  if (!value) return;
  std::string once = write(*value);
  auto again = read(once);
  if (!again || write(*again) != once) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace plz;
  if (size == 0) return 0;
  std::string_view json(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 8) {
    case 0: check(json, submission_from_json, submission_to_json); break;
    case 1: check(json, registration_from_json, registration_to_json); break;
    case 2: check(json, orders_from_json, orders_to_json); break;
    case 3: check(json, finish_from_json, finish_to_json); break;
    case 4: check(json, measure_events_from_json, measure_events_to_json); break;
    case 5: check(json, execution_from_json, execution_to_json); break;
    case 6: check(json, instances_from_json, instances_to_json); break;
    case 7: check(json, kill_from_json, kill_to_json); break;
  }
  return 0;
}
