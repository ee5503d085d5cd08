// Structs that are stored whole, in one column: what is never asked for by the database itself. The
// first byte says the format; one that this program does not know was written by a newer plz.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/process_attributes.h"
#include "base/result.h"
#include "model/execution.h"
#include "model/instance.h"

namespace plz {

std::string encode_spec(const ExecutionSpec& spec);
std::string encode_attributes(const ProcessAttributes& attributes);
std::string encode_variables(const EnvironmentVariables& variables);
std::string encode_strings(const std::vector<std::string>& strings);
std::string encode_runtimes(const std::vector<RuntimeFingerprint>& runtimes);

// conflict: a newer plz wrote it; internal: the bytes are damaged.
Result<ExecutionSpec> decode_spec(std::string_view bytes);
Result<ProcessAttributes> decode_attributes(std::string_view bytes);
Result<EnvironmentVariables> decode_variables(std::string_view bytes);
Result<std::vector<std::string>> decode_strings(std::string_view bytes);
Result<std::vector<RuntimeFingerprint>> decode_runtimes(std::string_view bytes);

}  // namespace plz
