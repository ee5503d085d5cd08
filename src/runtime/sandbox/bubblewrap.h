// Bubblewrap, the other way to make a sandbox: where plz-init may not make namespaces, but the
// system's owner lets this program (a security profile, a set-uid bit).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/init_spec.h"

namespace plz {

Error no_bubblewrap();
// "bubblewrap 0.8.0", or "" when it does not say.
std::string bubblewrap_version(const std::string& bwrap_path);
// The whole argv, ending in plz-init's inner half.
std::vector<std::string> bubblewrap_arguments(const std::string& bwrap_path, const std::vector<BoxStep>& steps,
                                              bool network, bool person_is_root);

}  // namespace plz
