#!/bin/sh
# Runs a command as an ordinary user: the user `plztest`, made if we are root; else as who we are, or with
# --or-skip, where another test does that already, not at all (77: skipped).
set -eu
or_skip=
if [ "$1" = --or-skip ]; then
  or_skip=yes
  shift
fi
if [ "$(id -u)" != 0 ]; then
  [ -z "$or_skip" ] || exit 77
  exec "$@"
fi
# Several come at once.
(
  flock 9
  id plztest >/dev/null 2>&1 || useradd --create-home --shell /bin/bash plztest
) 9<"$0"
# The build may lie below a directory that only root can enter: the programs are copied.
copy=$(mktemp -d /tmp/plz-as-user-XXXXXX)
trap 'rm -rf "$copy"' EXIT
mkdir "$copy/bin" "$copy/tmp"
for program in plz plz-controller plz-worker plz-init; do
  cp "$PLZ_BIN/$program" "$copy/bin/"
done
cp -r "$(dirname "$0")" "$copy/tests"
cp -r "$(dirname "$0")/../fakes" "$copy/fakes"
[ ! -d "$PLZ_BIN/../tests" ] || cp "$PLZ_BIN"/../tests/plz_* "$copy/tests/"
cp -r "$(dirname "$0")/../../examples" "$(dirname "$0")/../../docs" "$copy/"
chown -R plztest: "$copy"
chmod 755 "$copy"
test=$copy/tests/$(basename "$(eval echo "\${$#}")")
cd "$copy"
# Whoever may use the engine: else nobody would test containers that root inside did not start as root outside.
groups=$(id -G plztest | tr ' ' ,)
docker_group=$(getent group docker | cut -d: -f3)
status=0
setpriv --reuid plztest --regid plztest --groups "$groups${docker_group:+,$docker_group}" --reset-env env \
  ${DOCKER_HOST:+DOCKER_HOST="$DOCKER_HOST"} PLZ_BIN="$copy/bin" PLZ_EXAMPLES="$copy/examples" PLZ_DOCS="$copy/docs" TMPDIR="$copy/tmp" PLZ_TESTS_ALL="${PLZ_TESTS_ALL:-}" PYTHONDONTWRITEBYTECODE=1 LANG=C.UTF-8 \
  /usr/bin/python3 -m pytest -q -x -p no:cacheprovider "$test" || status=$?
exit $status
