#include "cli/process_attributes.h"

#include <algorithm>

#include "os/own_process.h"
#include "wire/process_attributes_json.h"

namespace plz {

ProcessAttributes attributes_to_submit(const Session& session, bool uses_container) {
  if (!session.embedded()) return {};
  ProcessAttributes attributes = own_process_attributes();
  if (!uses_container) return attributes;
  ProcessAttributes mask;
  mask.umask = attributes.umask;
  return mask;
}

std::string recorded_attributes(const ProcessAttributes& attributes) {
  ProcessAttributes recorded = attributes;
  std::erase_if(recorded.limits, [](const auto& limit) { return limit.second == ResourceLimit(); });
  return recorded.empty() ? "" : process_attributes_to_json(recorded);
}

}  // namespace plz
