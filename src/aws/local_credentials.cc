#include "aws/local_credentials.h"

#include <fmt/core.h>

#include "aws/profile_file.h"
#include "base/text.h"
#include "os/file.h"

namespace plz {
namespace {

using Settings = std::map<std::string, std::string>;

std::string setting(const Settings& settings, const std::string& name) {
  auto at = settings.find(name);
  return at == settings.end() ? "" : at->second;
}

// Of the credentials file or the config file: where it is, and what it says of the profile.
struct ProfilePart {
  std::string path;
  bool has_profile = false;
  Settings settings;
};

struct Profile {
  std::string name;
  bool is_named = false;  // somebody asked for it
  ProfilePart credentials, config;
};

std::string file_path(const Variables& variable, const char* name, std::string_view usual) {
  std::string home = value_of(variable, "HOME");
  std::string path = value_of(variable, name);
  if (path.empty()) return home.empty() ? "" : join_path(home, usual);
  return path.starts_with("~/") ? join_path(home, path.substr(2)) : path;
}

Result<ProfilePart> read_part(std::string path, AwsProfileFile kind, const std::string& profile) {
  ProfilePart part{std::move(path)};
  if (part.path.empty()) return part;
  PLZ_ASSIGN(auto text, read_file_if_exists(part.path, 4 << 20));
  if (!text) return part;
  auto profiles = parse_aws_profiles(*text, kind);
  if (!profiles) return fail(std::move(profiles).error().with_context(part.path));
  auto at = profiles->find(profile);
  part.has_profile = at != profiles->end();
  if (part.has_profile) part.settings = at->second;
  return part;
}

Result<Profile> read_profile(const Variables& variable) {
  Profile profile{value_of(variable, "AWS_PROFILE")};
  if (profile.name.empty()) profile.name = value_of(variable, "AWS_DEFAULT_PROFILE");
  profile.is_named = !profile.name.empty();
  if (!profile.is_named) profile.name = "default";
  std::string credentials = file_path(variable, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials");
  std::string config = file_path(variable, "AWS_CONFIG_FILE", ".aws/config");
  PLZ_ASSIGN(profile.credentials, read_part(credentials, AwsProfileFile::credentials, profile.name));
  PLZ_ASSIGN(profile.config, read_part(config, AwsProfileFile::config, profile.name));
  return profile;
}

Result<std::optional<AwsCredentials>> keys_of(const ProfilePart& part, const std::string& profile) {
  AwsCredentials keys;
  keys.access_key_id = setting(part.settings, "aws_access_key_id");
  keys.secret_access_key = setting(part.settings, "aws_secret_access_key");
  keys.session_token = setting(part.settings, "aws_session_token");
  keys.source = fmt::format("the profile {} of {}", printable(profile), part.path);
  if (keys.access_key_id.empty()) return std::nullopt;
  if (keys.secret_access_key.empty())
    return fail(ErrorCode::invalid, keys.source + " has aws_access_key_id without aws_secret_access_key");
  return keys;
}

// What a profile may have in place of keys.
constexpr const char* kOtherWays[] = {"sso_session", "sso_start_url", "role_arn", "credential_process",
                                      "web_identity_token_file"};

Result<void> check_other_ways(const Profile& profile) {
  for (const auto* part : {&profile.credentials, &profile.config})
    for (const char* way : kOtherWays)
      if (!setting(part->settings, way).empty())
        return fail(
            ErrorCode::invalid,
            fmt::format("the AWS profile {} gets its keys by {}, which plz cannot do", printable(profile.name), way),
            fmt::format("put the keys into the environment: eval \"$(aws configure export-credentials --profile {} "
                        "--format env)\"",
                        printable(profile.name)));
  return {};
}

}  // namespace

Result<std::optional<AwsCredentials>> EnvironmentCredentials::credentials() {
  AwsCredentials keys;
  keys.access_key_id = value_of(variable_, "AWS_ACCESS_KEY_ID");
  keys.secret_access_key = value_of(variable_, "AWS_SECRET_ACCESS_KEY");
  keys.session_token = value_of(variable_, "AWS_SESSION_TOKEN");
  keys.source = "AWS_ACCESS_KEY_ID";
  if (keys.access_key_id.empty()) return std::nullopt;
  if (keys.secret_access_key.empty())
    return fail(ErrorCode::invalid, "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not", "set both or neither");
  keys.expires = parse_rfc3339(value_of(variable_, "AWS_CREDENTIAL_EXPIRATION"));
  return keys;
}

Result<std::optional<AwsCredentials>> ProfileCredentials::credentials() {
  PLZ_ASSIGN(Profile profile, read_profile(variable_));
  for (const auto* part : {&profile.credentials, &profile.config}) {
    PLZ_ASSIGN(auto keys, keys_of(*part, profile.name));
    if (keys) return keys;
  }
  PLZ_TRY(check_other_ways(profile));
  if (profile.is_named && !profile.credentials.has_profile && !profile.config.has_profile)
    return fail(ErrorCode::invalid,
                fmt::format("the AWS profile {} is neither in {} nor in {}", printable(profile.name),
                            profile.credentials.path, profile.config.path),
                "see the names there, and AWS_PROFILE");
  return std::nullopt;
}

Result<std::optional<std::string>> find_aws_region(const Variables& variable) {
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"})
    if (auto region = value_of(variable, name); !region.empty()) return region;
  PLZ_ASSIGN(Profile profile, read_profile(variable));
  for (const auto* part : {&profile.config, &profile.credentials})
    if (auto region = setting(part->settings, "region"); !region.empty()) return region;
  return std::nullopt;
}

}  // namespace plz
