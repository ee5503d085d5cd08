// `docker_run_args`: the keyword arguments of `containers.run` of the Docker SDK for Python, with the same
// meaning and the same forms of values. Source: docker/types/containers.py and docker/models/containers.py
// of the SDK, version 5; run_arguments_golden.json is what it makes of a table of them. Pure.
#pragma once

#include <string>

#include "base/result.h"
#include "model/json_text.h"

namespace plz {

struct RunArguments {
  JsonText create_body{"{}"};  // of POST /containers/create: what the arguments say, and nothing else
  std::string name;            // "": the caller's choice
  std::string platform;        // "linux/arm64"; "": the engine's
};

// invalid: an unknown argument (the hint names the nearest), one that contradicts how plz runs a job (the
// words say why), or a value of another form; the message begins with "docker_run_args.NAME".
Result<RunArguments> read_run_arguments(const JsonText& arguments);

}  // namespace plz
