// New namespaces for a process, without being root: a user namespace to have the say in, and with it
// mounts, processes and perhaps a network of its own.
#pragma once

#include <sys/types.h>

namespace plz::init {

// As fork(2), but the child is process 1 of new user, mount and pid namespaces, and of a network
// namespace without `network`. Its ids are not mapped yet. -1 with errno set: not permitted here.
pid_t fork_into_namespaces(bool network);

// In the child. As an ordinary user: the person's uid and gid appear as 0, which some mounts insist on;
// become_the_person undoes that. False with errno set.
bool map_person_to_root(uid_t uid, gid_t gid);
// After the last mount: a user namespace more, in which the person's ids are their own again, and which
// has no say over the mounts.
bool become_the_person(uid_t uid, gid_t gid);
// In the parent, if it is root: every id that exists here is itself in the child's namespace.
bool map_every_id(pid_t child);
// Root's job: keeps of the capabilities what containers usually have; they count in the box only.
bool limit_capabilities();
// In a network namespace of its own: 127.0.0.1 works.
bool bring_up_loopback();

}  // namespace plz::init
