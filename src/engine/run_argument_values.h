// The forms in which the Docker SDK for Python takes values, and what it makes of them for the engine. The
// errors say what a value must be. Used by run_arguments alone.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"

namespace plz::run_argument_values {

using Json = nlohmann::json;

Result<Json> text(const Json& value);
Result<Json> text_or_number(const Json& value);  // as text
Result<Json> integer(const Json& value);
Result<Json> boolean(const Json& value);
Result<Json> bytes(const Json& value);             // 1073741824, "1g", "512MB"
Result<Json> texts(const Json& value);             // a list
Result<Json> texts_or_numbers(const Json& value);  // a list, as texts
Result<Json> texts_by_comma(const Json& value);    // or one text, "a,b"
Result<Json> words(const Json& value);             // a list, or one text, split as a shell would
Result<Json> text_members(const Json& value);      // an object of texts
Result<Json> value_members(const Json& value);     // an object of values, as Python would print them
Result<Json> objects(const Json& value);           // a list, as the API has them
Result<Json> host_word(const Json& value);         // "host"

Result<Json> environment(const Json& value);  // an object, or a list of NAME=VALUE
Result<Json> labels(const Json& value);       // an object, or a list of names
Result<Json> volumes(const Json& value);      // an object of {"bind", "mode"}, or a list of HOST:PATH[:MODE]
Result<Json> mounts(const Json& value);       // a list of docker.types.Mount, by its arguments, or as the API has it
Result<Json> devices(const Json& value);      // a list of HOST[:PATH[:rwm]]
Result<Json> device_requests(const Json& value);
Result<Json> ulimits(const Json& value);
Result<Json> tmpfs(const Json& value);        // an object, or a list of PATH[:OPTIONS]
Result<Json> extra_hosts(const Json& value);  // an object from name to address, or a list of NAME:ADDRESS
Result<Json> links(const Json& value);        // an object, or a list of pairs
Result<Json> log_config(const Json& value);
Result<Json> healthcheck(const Json& value);
Result<Json> port_bindings(const Json& value);  // an object from "80/tcp" to a port, a list of such, or null

}  // namespace plz::run_argument_values
