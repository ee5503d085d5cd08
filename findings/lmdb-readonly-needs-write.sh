#!/bin/bash
# LMDB 0.9.24 through py-lmdb 1.4.0 (Debian 12, python3-lmdb 1.4.0-1+b1). open(readonly=True) opens a data set on a read-only mount, but not one
# that merely denies writing by its modes: readers write to lock.mdb, and only "read-only file system" (EROFS) makes LMDB do without it, not
# "permission denied" (EACCES). A data set of a colleague, or one that a store laid down without write bits, cannot be read in place,
# though the same files through a read-only bind mount can; lock=False does without in both cases. Run as root: the script becomes an
# ordinary user for the first case, and makes a mount (in a namespace of its own) for the second.
#
# Seen:
#   modes 0555 and 0444, as another user: ReadonlyError: Permission denied; with lock=False: b'value'
#   read-only mount: b'value'
set -euo pipefail
[ "$(id -u)" = 0 ] || { echo "run as root" >&2; exit 1; }
"$(dirname "$0")/with-packages" python3-lmdb=1.4.0-1+b1 -- bash -euo pipefail -c '
chmod 0755 .
cat > read.py <<PYTHON
import sys, lmdb
try:
    with lmdb.open("set", readonly=True, lock=sys.argv[1:] != ["no-lock"]) as environment, environment.begin() as transaction:
        print(transaction.get(b"key"))
except lmdb.Error as error:
    print(type(error).__name__ + ":", str(error).split(": ")[-1])
PYTHON
/usr/bin/python3 -c "
import lmdb
with lmdb.open(\"set\") as environment, environment.begin(write=True) as transaction:
    transaction.put(b\"key\", b\"value\")"
chmod 0444 set/*; chmod 0555 set
other() { setpriv --reuid 65534 --regid 65534 --clear-groups -- /usr/bin/python3 read.py "$@"; }
denied=$(other); without=$(other no-lock)
mounted=$(unshare --mount sh -c "mount --bind set set && mount -o remount,ro,bind set && exec /usr/bin/python3 read.py")
echo "modes 0555 and 0444, as another user: $denied; with lock=False: $without"
echo "read-only mount: $mounted"
[ "$denied" = "ReadonlyError: Permission denied" ] && [ "$without" = "b'\''value'\''" ] && [ "$mounted" = "b'\''value'\''" ]
'
