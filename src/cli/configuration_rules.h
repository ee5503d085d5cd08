// What keys may not stand together.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/configuration.h"
#include "cli/configuration_merge.h"

namespace plz {

// invalid: names the keys and who gave them.
Result<void> check_configuration_rules(const Configuration& configuration, const ConfigurationMerge& merge);
std::vector<std::string> configuration_warnings(const Configuration& configuration);

}  // namespace plz
