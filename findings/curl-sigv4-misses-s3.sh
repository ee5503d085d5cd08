#!/bin/bash
# curl 7.88.1 (Debian 12, curl 7.88.1-10+deb12u15). --aws-sigv4 signs what S3 will not accept: a query is signed in the order and the spelling
# in which it was written, where the rules want it sorted, with a `=` after each name and every reserved byte encoded; so is the path. The
# start of a multipart upload (`?uploads`), a prefix with a slash, a key with `+` or `=` have wrong signatures; and x-amz-content-sha256,
# which S3 demands, is neither sent nor signed. The script signs each request again by the published rules, after it has shown that it
# reproduces AWS's own example (GET Bucket Lifecycle in "Signature Calculations for the Authorization Header").
#
# Seen:
#   /b/k right, /b/k?a=1&b=2 right, /b?list-type=2&prefix=x%2Fy right, /b/a%20b right
#   /b/k?b=2&a=1 wrong, /b?uploads wrong, /b?prefix=x/y wrong, /b/a+b wrong, /b/a=b wrong
#   x-amz-content-sha256 sent: never
set -euo pipefail
"$(dirname "$0")/with-packages" curl=7.88.1-10+deb12u15 -- /usr/bin/python3 - <<'PYTHON'
import hashlib, hmac, http.server, re, subprocess, threading
from urllib.parse import quote, unquote

def encoded(text):
    return quote(unquote(text), safe="-_.~")

def signature(secret, date, region, path, query, headers, signed, payload):
    """Of a GET to S3, by the rules of Signature Version 4."""
    names = sorted((encoded(name), encoded(value)) for name, _, value in (part.partition("=") for part in query.split("&") if part))
    canonical = "\n".join(["GET", "/".join(map(encoded, path.split("/"))), "&".join(f"{name}={value}" for name, value in names),
                           "".join(f"{name}:{headers[name]}\n" for name in signed.split(";")), signed, payload])
    scope = f"{date[:8]}/{region}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

empty = hashlib.sha256(b"").hexdigest()
example = signature("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524T000000Z", "us-east-1", "/", "lifecycle",
                    {"host": "examplebucket.s3.amazonaws.com", "x-amz-content-sha256": empty, "x-amz-date": "20130524T000000Z"},
                    "host;x-amz-content-sha256;x-amz-date", empty)
assert example == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543", example

asked = []

class Listener(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Listener)
threading.Thread(target=server.serve_forever, daemon=True).start()

def curl_is_right(target):
    subprocess.run(["curl", "-q", "-sS", "--noproxy", "*", "--path-as-is", "--aws-sigv4", "aws:amz:us-east-1:s3", "-u", "AKIDEXAMPLE:secret",
                    f"http://127.0.0.1:{server.server_port}{target}"], check=True)
    sent, headers = asked.pop()
    signed, seen = re.search(r"SignedHeaders=([^,]+), Signature=(\w+)", headers["authorization"]).groups()
    assert "x-amz-content-sha256" not in headers
    path, _, query = sent.partition("?")
    right = signature("secret", headers["x-amz-date"], "us-east-1", path, query, headers, signed, empty) == seen
    print(target, "right" if right else "wrong")
    return right

version = subprocess.run(["curl", "-q", "--version"], capture_output=True, text=True, check=True).stdout
assert version.startswith("curl 7.88.1 "), version
for target in ("/b/k", "/b/k?a=1&b=2", "/b?list-type=2&prefix=x%2Fy", "/b/a%20b"):
    assert curl_is_right(target)
for target in ("/b/k?b=2&a=1", "/b?uploads", "/b?prefix=x/y", "/b/a+b", "/b/a=b"):
    assert not curl_is_right(target)
print("x-amz-content-sha256 sent: never")
PYTHON
