// Makes the sandbox's view of the machine. The process is in a mount namespace of its own and may
// mount there.
#pragma once

#include "init/spec.h"

namespace plz::init {

// Mounts the code, with its writable upper layer, at its target. False with errno set: no overlay can
// be had here.
bool mount_overlay(const CodeSpec& code);
// Builds a new root from the steps and moves into it; what was the root is gone. False: complained,
// and the process is good for nothing any more. Needs Linux 5.12 (mount_setattr).
bool enter_box(const BoxSpec& box);

}  // namespace plz::init
