// What a job is given of the submitting shell beside its environment: gathered and recorded.
#pragma once

#include <string>

#include "base/process_attributes.h"
#include "cli/session.h"

namespace plz {

// Those of this process that the controller hands on to the job: none to a shared one, the umask alone in a container.
ProcessAttributes attributes_to_submit(const Session& session, bool uses_container);

// As the metadata hold them (docs/metadata.md), JSON text; "" where there are none. What is unlimited is left out.
std::string recorded_attributes(const ProcessAttributes& attributes);

}  // namespace plz
