// The namespaces in which an overlay can be mounted without being root: a user namespace in which
// this process keeps its own ids, and a mount namespace that goes with it.
#pragma once

#include <sys/types.h>

#include "init/spec.h"

namespace plz::init {

// Moves the calling process into new user and mount namespaces. An ordinary user keeps the one uid
// and gid that are theirs; for root, `ask_parent` must have write_root_id_maps called by a process
// outside, since only that one may map every id. False with errno set: nothing can be mounted.
bool enter_namespaces(bool (*ask_parent)(int channel), int channel);
// Called in the parent, by root: every id that exists here is mapped to itself.
bool write_root_id_maps(pid_t child);
// Mounts the code, with its writable upper layer, at its target. False with errno set.
bool mount_overlay(const CodeSpec& code);

}  // namespace plz::init
