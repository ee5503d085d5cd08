#!/bin/bash
# Linux 6.18 on ext4, coreutils 9.1 (Debian 12, coreutils 9.1-1). The owner of a directory without write bits can rename it
# within its parent, but cannot move it to another parent, although both parents are the owner's and writable: the kernel would have to
# change `..` in it, and asks for the right to write into the directory itself. Whoever lays trees down read-only, complete, and then moves
# them to their place (a cache, a store) meets this as an ordinary user only; root never sees it.
#
# Seen, as an ordinary user, of a directory of mode 0555:
#   mv here/tree here/other: done
#   mv here/other there/tree: Permission denied
#   after chmod u+w: done
set -euo pipefail
[ "$(id -u)" = 0 ] || { echo "run as root: the script becomes an ordinary user" >&2; exit 1; }
"$(dirname "$0")/with-packages" coreutils=9.1-1 -- bash -euo pipefail -c '
chmod 0711 .; mkdir work; chown 65534:65534 work
exec setpriv --reuid 65534 --regid 65534 --clear-groups -- bash -euo pipefail -c "
cd work; mkdir -p here/tree there; touch here/tree/file; chmod 0555 here/tree
mv here/tree here/other && echo \"mv here/tree here/other: done\"
if LC_ALL=C mv here/other there/tree 2> said; then echo \"moved to another parent\"; exit 1; fi
grep -q \"Permission denied\" said && echo \"mv here/other there/tree: Permission denied\"
chmod u+w here/other; mv here/other there/tree && echo \"after chmod u+w: done\"
"'
