"""The token server of a registry (Distribution's token authentication): GET /token with a password (HTTP Basic), POST
/token with an identity token (OAuth 2, grant_type refresh_token). Tokens are JSON Web Tokens of RS256 (RFC 7519), with
the certificate that signs them in their head.

Format: https://distribution.github.io/distribution/spec/auth/
"""

import base64
import http.server
import json
import subprocess
import threading
import time
import urllib.parse
import uuid

SERVICE, ISSUER = "plz-registry", "plz-token-server"


def unpadded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class TokenFake:
    """A context manager that serves from a thread. `directory` gets its key and certificate; `asked` collects how each
    request showed who asks."""

    def __init__(self, directory, user, password, identity_token):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.fake = self
        self.user, self.password, self.identity_token, self.asked = user, password, identity_token, []
        self.key, self.certificate = directory / "token.key", directory / "token.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tokens",
                        "-keyout", str(self.key), "-out", str(self.certificate)], check=True, capture_output=True)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def registry_settings(self):
        """What the configuration of a registry says under "auth", for it to take these tokens."""
        return {"token": {"realm": f"http://127.0.0.1:{self.server.server_address[1]}/token", "service": SERVICE, "issuer": ISSUER,
                          "rootcertbundle": str(self.certificate)}}

    def token(self, user, scopes):
        now = int(time.time())
        der = subprocess.run(["openssl", "x509", "-in", str(self.certificate), "-outform", "DER"], check=True,
                             capture_output=True).stdout
        head = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}
        access = [{"type": kind, "name": name, "actions": actions.split(",")}
                  for kind, name, actions in (scope.split(":") for scope in scopes)]
        claims = {"iss": ISSUER, "sub": user, "aud": SERVICE, "exp": now + 300, "nbf": now - 60, "iat": now,
                  "jti": uuid.uuid4().hex, "access": access}
        text = ".".join(unpadded(json.dumps(part).encode()) for part in (head, claims))
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", str(self.key)], input=text.encode(),
                                   check=True, capture_output=True).stdout
        return f"{text}.{unpadded(signature)}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        kind, _, words = self.headers.get("Authorization", "").partition(" ")
        fake = self.server.fake
        expected = f"{fake.user}:{fake.password}"
        fake.asked.append("password" if kind == "Basic" else "nothing")
        self.give(kind == "Basic" and base64.b64decode(words).decode() == expected, query.get("scope", []))

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        fake = self.server.fake
        fake.asked.append("identity token")
        known = (form["grant_type"] == ["refresh_token"] and form["service"] == [SERVICE]
                 and form["refresh_token"] == [fake.identity_token])
        self.give(known, form.get("scope", [""])[0].split())

    def give(self, known, scopes):
        if known:
            token = self.server.fake.token(self.server.fake.user, scopes)
            self.answer(200, {"token": token, "access_token": token, "expires_in": 300})
        else:
            self.answer(401, {"details": "incorrect username or password"})

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
