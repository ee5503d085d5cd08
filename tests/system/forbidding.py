"""Takes from a process and its children what a system's owner may take: user namespaces."""

import ctypes
import errno
import struct

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 22, 38
SECCOMP_MODE_FILTER = 2
SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO = 0x7FFF0000, 0x00050000
AUDIT_ARCH_X86_64 = 0xC000003E
CLONE_NEWUSER = 0x10000000
CLONE, UNSHARE, CLONE3 = 56, 272, 435  # numbers of x86-64
# Of struct seccomp_data: the number, the architecture, the lower half of the first argument.
NUMBER, ARCHITECTURE, FLAGS = 0, 4, 16

LOAD, JUMP_IF_EQUAL, JUMP_IF_BITS, RETURN = 0x20, 0x15, 0x45, 0x06


def forbid_user_namespaces(error=errno.EPERM):
    """As seccomp filters and sysctls of containers and careful systems do. For preexec_fn.
    With another error than EPERM: as a machine that lacks something for the moment."""
    install([
        (LOAD, 0, 0, ARCHITECTURE),
        (JUMP_IF_EQUAL, 1, 0, AUDIT_ARCH_X86_64),
        (RETURN, 0, 0, SECCOMP_RET_ALLOW),
        (LOAD, 0, 0, NUMBER),
        # Its flags lie behind a pointer that no filter can follow: callers fall back to clone.
        (JUMP_IF_EQUAL, 5, 0, CLONE3),
        (JUMP_IF_EQUAL, 1, 0, CLONE),
        (JUMP_IF_EQUAL, 0, 4, UNSHARE),
        (LOAD, 0, 0, FLAGS),
        (JUMP_IF_BITS, 0, 2, CLONE_NEWUSER),
        (RETURN, 0, 0, SECCOMP_RET_ERRNO | error),
        (RETURN, 0, 0, SECCOMP_RET_ERRNO | errno.ENOSYS),
        (RETURN, 0, 0, SECCOMP_RET_ALLOW),
    ])


def install(instructions):
    """The source of the formats: linux/filter.h, linux/seccomp.h."""
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in instructions))
    program = struct.pack("HxxxxxxQ", len(instructions), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program) != 0:
        raise OSError(ctypes.get_errno(), "no filter could be installed")
