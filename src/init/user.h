// Who the job runs as in a container, by its image's own /etc/passwd and /etc/group. A static program has
// no name service to ask: the two files are read here.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace plz::init {

struct JobUser {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // besides gid
  std::string home = "/";
};

// `wanted` is as Docker takes it: NAME or UID, with :GROUP or :GID; "": root. A number needs no name. The
// user's groups are those that list it, unless a group was named, and `more_groups`. False: `reason` says why.
bool find_user(std::string_view wanted, const std::vector<const char*>& more_groups, JobUser& user,
               std::string& reason);

// Gives up root for good. False with errno set.
bool become(const JobUser& user);

}  // namespace plz::init
