#!/bin/bash
# SQLite 3.40.1 (Debian 12, sqlite3 3.40.1-2+deb12u2). Its JSON functions keep a number as long as they only pass text on, and change it as soon
# as it is a value: json_object and json_set write a double with 15 digits, so that 0.1+0.2 becomes 0.3; json_extract makes a double of a
# whole number above 2^63-1, so that seeds which differ become equal. json() of the text, and `->`, keep the digits.
#
# Seen:
#   json_object('x', 0.1+0.2)                          {"x":0.3}
#   json_set('{"x":1}', '$.x', 0.1+0.2)                {"x":0.3}
#   json_extract of 18446744073709551614 and ...615    equal: 1
#   '{"a":18446744073709551615}' -> '$.a'              18446744073709551615
#   json('[0.30000000000000004]')                      [0.30000000000000004]
set -euo pipefail
"$(dirname "$0")/with-packages" sqlite3=3.40.1-2+deb12u2 -- bash -euo pipefail -c '
cat > ask.sql <<SQL
select sqlite_version();
select json_object("x", 0.1+0.2);
select json_set("{""x"":1}", "\$.x", 0.1+0.2);
select json_extract("[18446744073709551614]", "\$[0]") = json_extract("[18446744073709551615]", "\$[0]");
select "{""a"":18446744073709551615}" -> "\$.a";
select json("[0.30000000000000004]");
SQL
sqlite3 :memory: < ask.sql | tee seen
cat > expected <<SEEN
3.40.1
{"x":0.3}
{"x":0.3}
1
18446744073709551615
[0.30000000000000004]
SEEN
cmp seen expected
'
