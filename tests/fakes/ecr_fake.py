#!/usr/bin/python3
"""Amazon ECR's API, as far as a login needs it: GetAuthorizationToken of the JSON 1.1 protocol.

Signatures are checked by botocore (Debian's python3-botocore), which computes them anew from what arrived.
ecr_fake.py [--port N] [--access-key ID] [--secret-key SECRET]: prints "port N" and serves until it is ended."""

import argparse
import base64
import datetime
import email.utils
import hmac
import http.server
import json
import re
import threading
import time
import uuid

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.loaders
import botocore.model
import botocore.validate

TARGET = "AmazonEC2ContainerRegistry_V20150921."
JSON = "application/x-amz-json-1.1"
ALLOWED_SKEW = 300
AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?"
                           r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})")


class Refused(Exception):
    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


class Key:
    """An access key, and what happens to who comes with it: nothing, or a Refused each time."""

    def __init__(self, secret, session_token=None, refusal=None):
        self.secret, self.session_token, self.refusal = secret, session_token, refusal


THROTTLED = Refused("ThrottlingException", "Rate exceeded")
EXPIRED = Refused("ExpiredTokenException", "The security token included in the request is expired")
DENIED = Refused("AccessDeniedException", "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: "
                 "ecr:GetAuthorizationToken on resource: * because no identity-based policy allows the "
                 "ecr:GetAuthorizationToken action")
BROKEN = Refused("ServerException", "These errors are usually caused by a server-side issue.", 500)
UNKNOWN = Refused("UnrecognizedClientException", "The security token included in the request is invalid.")
WRONG_SIGNATURE = Refused("InvalidSignatureException", "The request signature we calculated does not match the "
                          "signature you provided. Check your AWS Secret Access Key and signing method. Consult the "
                          "service documentation for details.")


def service_model():
    return botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("ecr", "service-2"), "ecr")


class EcrFake:
    """A context manager that serves from a thread. `url` says where."""

    def __init__(self, keys, port=0, clock_offset=0, lifetime=12 * 3600):
        self.keys = keys
        self.clock_offset = clock_offset  # seconds that this service is ahead of the machine
        self.lifetime = lifetime
        self.tokens_given = 0
        self.lock = threading.Lock()
        self.model = service_model()
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

    def now(self):
        return time.time() + self.clock_offset

    def answer(self, request, headers, body):
        key = self.authenticate(request, headers, body)
        target = headers.get("X-Amz-Target", "")
        operation = target[len(TARGET):] if target.startswith(TARGET) else ""
        if headers.get("Content-Type") != JSON or operation != "GetAuthorizationToken":
            raise Refused("UnknownOperationException", "")
        if key.refusal:
            raise key.refusal
        return self.authorization_token(self.parameters(operation, body))

    def authenticate(self, request, headers, body):
        found = AUTHORIZATION.fullmatch(headers.get("Authorization", ""))
        if not found:
            raise Refused("MissingAuthenticationTokenException", "Missing Authentication Token")
        access_key, day, region, service, signed, signature = found.groups()
        if access_key not in self.keys:
            raise UNKNOWN
        key = self.keys[access_key]
        if headers.get("X-Amz-Security-Token") != key.session_token:
            raise UNKNOWN
        if service != "ecr" or not {"host", "x-amz-date"} <= set(signed.split(";")):
            raise Refused("InvalidSignatureException", "Credential should be scoped to correct service: 'ecr'.")
        stamp = headers.get("X-Amz-Date", "")
        if not stamp.startswith(day):
            raise Refused("InvalidSignatureException", "Date in Credential scope does not match YYYYMMDD "
                          "from ISO-8601 version of date from HTTP")
        self.check_time(stamp)
        expected = self.signature(request, headers, body, signed, key, access_key, region, stamp)
        if not hmac.compare_digest(expected, signature):
            raise WRONG_SIGNATURE
        return key

    def check_time(self, stamp):
        try:
            then = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc).timestamp()
        except ValueError:
            raise Refused("InvalidSignatureException", "Date must be in ISO-8601 'basic format'.")
        limit = lambda offset: time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self.now() + offset))
        if then < self.now() - ALLOWED_SKEW:
            raise Refused("InvalidSignatureException", f"Signature expired: {stamp} is now earlier than "
                          f"{limit(-ALLOWED_SKEW)} ({limit(0)} - 5 min.)")
        if then > self.now() + ALLOWED_SKEW:
            raise Refused("InvalidSignatureException", f"Signature not yet current: {stamp} is still later than "
                          f"{limit(ALLOWED_SKEW)} ({limit(0)} + 5 min.)")

    @staticmethod
    def signature(request, headers, body, signed, key, access_key, region, stamp):
        method, target = request
        again = botocore.awsrequest.AWSRequest(method=method, url=f"http://{headers['Host']}{target}", data=body)
        for name in signed.split(";"):
            for value in headers.get_all(name, []):
                again.headers.add_header(name, value)
        again.context["timestamp"] = stamp
        signer = botocore.auth.SigV4Auth(botocore.credentials.Credentials(access_key, key.secret), "ecr", region)
        return signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)

    def parameters(self, operation, body):
        try:
            parameters = json.loads(body)
        except ValueError:
            raise Refused("SerializationException", "")
        shape = self.model.operation_model(operation).input_shape
        report = botocore.validate.ParamValidator().validate(parameters, shape)
        if report.has_errors():
            raise Refused("InvalidParameterException", report.generate_report())
        return parameters

    def authorization_token(self, parameters):
        with self.lock:
            self.tokens_given += 1
            password = f"password-{self.tokens_given}-" + "x" * 1500  # as long as real ones
        account = parameters.get("registryIds", ["123456789012"])[0]
        return {"authorizationData": [{
            "authorizationToken": base64.b64encode(f"AWS:{password}".encode()).decode(),
            "expiresAt": round(self.now() + self.lifetime, 3),
            "proxyEndpoint": f"https://{account}.dkr.ecr.eu-west-1.amazonaws.com"}]}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            self.send(200, self.server.fake.answer((self.command, self.path), self.headers, body))
        except Refused as refused:
            self.send(refused.status, {"__type": refused.code, "message": refused.message})

    def send(self, status, value):
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        self.send_header("Content-Type", JSON)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def date_time_string(self, timestamp=None):
        return email.utils.formatdate(self.server.fake.now() if timestamp is None else timestamp, usegmt=True)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--access-key", default="AKIDEXAMPLE")
    parser.add_argument("--secret-key", default="secret")
    options = parser.parse_args()
    with EcrFake({options.access_key: Key(options.secret_key)}, options.port) as fake:
        print("port", fake.port, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
