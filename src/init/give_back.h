// Hands trees of files to another owner.
#pragma once

#include <sys/types.h>

namespace plz::init {

// `path` and all below it become `uid`'s and `gid`'s, and can be read by it; modes stay otherwise, set-uid
// bits too. Links are not followed, and no other file system is entered. False: not all of it could be
// given; complains of the first.
bool give_tree(const char* path, uid_t uid, gid_t gid);

}  // namespace plz::init
