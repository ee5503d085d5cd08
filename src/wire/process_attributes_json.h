// Process attributes in JSON. Members that say nothing are left out, both of the object and of what holds it:
//   {"limits": {"nofile": "1024:4096", "as": "unlimited:unlimited"}, "affinity": "0-3,8", "niceness": 5,
//    "umask": "077", "scheduling": "batch", "io_priority": 24576, "oom_score": 500, "personality": 262144}
#pragma once

#include <string>

#include "base/process_attributes.h"
#include "wire/json_reader.h"
#include "wire/json_writer.h"
#include "wire/shape.h"

namespace plz {

template <>
struct Shape<ProcessAttributes> {
  static void members(JsonWriter& json, const ProcessAttributes& attributes);
  static void members(JsonReader& json, ProcessAttributes& attributes);
};

inline void process_attributes(JsonWriter& json, const ProcessAttributes& attributes) {
  if (!attributes.empty()) json.required("process_attributes", attributes);
}
inline void process_attributes(JsonReader& json, ProcessAttributes& attributes) {
  json.optional("process_attributes", attributes);
}

std::string process_attributes_to_json(const ProcessAttributes& attributes);

}  // namespace plz
