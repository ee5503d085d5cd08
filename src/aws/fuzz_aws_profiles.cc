// Any bytes as a file of profiles: what was read, written again, reads the same.
#include <cstdint>
#include <cstdlib>

#include "aws/profile_file.h"

namespace {

std::string written(const plz::AwsProfiles& profiles) {
  std::string text;
  for (const auto& [name, settings] : profiles) {
    text += "[" + name + "]\n";
    for (const auto& [key, value] : settings) text += key + " = " + value + "\n";
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace plz;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(parse_aws_profiles(text, AwsProfileFile::config));
  auto profiles = parse_aws_profiles(text, AwsProfileFile::credentials);
  if (!profiles) return 0;
  auto again = parse_aws_profiles(written(*profiles), AwsProfileFile::credentials);
  if (!again || *again != *profiles) abort();
  return 0;
}
