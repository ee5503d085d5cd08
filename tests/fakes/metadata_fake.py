#!/usr/bin/python3
"""The metadata service of an EC2 instance (version 2 only, as careful owners set it) and the credentials service of
an ECS container, as far as credentials need them.

metadata_fake.py [--port N] [--role NAME]: prints "port N" and serves until it is ended."""

import argparse
import datetime
import http.server
import json
import threading

CREDENTIALS = "/latest/meta-data/iam/security-credentials/"
CONTAINER = "/v2/credentials/task"
AUTHORIZATION = "container-authorization"


class MetadataFake:
    """A context manager that serves from a thread. `url` says where; `role` may be None."""

    def __init__(self, access_key, secret_key, token, role="worker", lifetime=6 * 3600, port=0):
        self.access_key, self.secret_key, self.token = access_key, secret_key, token
        self.role, self.lifetime = role, lifetime
        self.asked = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.fake = self
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def keys(self):
        now = datetime.datetime.utcnow()
        time = lambda ahead: (now + datetime.timedelta(seconds=ahead)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"AccessKeyId": self.access_key, "SecretAccessKey": self.secret_key, "Token": self.token,
                "Expiration": time(self.lifetime), "LastUpdated": time(0)}

    def get(self, path, headers):
        if path == CONTAINER:
            if headers.get("Authorization") != AUTHORIZATION:
                return 403, '{"code": "AccessDenied"}'
            return 200, json.dumps({**self.keys(), "RoleArn": "arn:aws:iam::123456789012:role/task"})
        if headers.get("X-aws-ec2-metadata-token") != "session":
            return 401, ""
        if path == CREDENTIALS and self.role:
            return 200, self.role
        if path == CREDENTIALS + (self.role or "") and self.role:
            return 200, json.dumps({"Code": "Success", "Type": "AWS-HMAC", **self.keys()})
        return 404, "not found"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        lifetime = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
        allowed = self.path == "/latest/api/token" and lifetime.isdigit() and 1 <= int(lifetime) <= 21600
        self.send(200 if allowed else 400, "session" if allowed else "")

    def do_GET(self):
        self.server.fake.asked.append(self.path)
        self.send(*self.server.fake.get(self.path, self.headers))

    def send(self, status, text):
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--role", default="worker")
    options = parser.parse_args()
    with MetadataFake("ASIAEXAMPLE", "secret", "token", options.role, port=options.port) as fake:
        print("port", fake.port, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
