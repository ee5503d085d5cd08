// ~/.aws/config and ~/.aws/credentials. Source of the format: "Configuration and credential file settings",
// https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html; where that is vague, botocore.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace plz {

// Settings by profile. Their names are in lower case.
using AwsProfiles = std::map<std::string, std::map<std::string, std::string>>;

enum class AwsProfileFile {
  credentials,  // [ada]
  config,       // [default], [profile ada]; other sections (sso-session, services) are passed over
};

// Blocks of settings within a setting (`s3 =` and indented lines) are passed over. A section that comes
// again adds to the first; a setting that comes again wins. invalid: a line that is none of these, by number.
Result<AwsProfiles> parse_aws_profiles(std::string_view text, AwsProfileFile kind);

}  // namespace plz
