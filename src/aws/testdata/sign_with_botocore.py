#!/usr/bin/python3
"""Writes signatures.json: awkward requests, signed by botocore. sigv4_test.cc must agree with it.

Run it again after adding a case (Debian's python3-botocore): ./sign_with_botocore.py > signatures.json"""

import datetime
import hashlib
import json
import sys
import unittest.mock
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials

HOST = "bucket-1.service.eu-west-1.amazonaws.com"
PLAIN, S3 = "service", "s3"


def pair(name, value):
    return {"name": name, "value": value}


def case(name, service=PLAIN, method="GET", path="/", query=(), headers=(), body="", token="", unsigned=False):
    return {"name": name, "service": service, "method": method, "path": path, "query": [pair(*p) for p in query],
            "headers": [pair("Host", HOST), *(pair(*p) for p in headers)], "body": body, "token": token,
            "unsigned": unsigned}


CASES = [
    case("json", method="POST", body='{"a": 1}', headers=[("Content-Type", "application/x-amz-json-1.1"),
                                                          ("X-Amz-Target", "Service_V1.Do")]),
    case("a session token", token="IQoJb3JpZ2luX2VjEJ//+/==", method="POST", body="x"),
    case("blanks in a path", path="/a%20b/c%20%20d"),
    case("the same, for S3", S3, path="/a%20b/c%20%20d"),
    case("a plus and a percent", path="/a%2Bb%25c+d"),
    case("the same, for S3", S3, path="/a%2Bb%25c%2Bd"),
    case("characters beyond ASCII", path="/%C3%A9t%C3%A9/%F0%9F%98%80", query=[("été", "😀")]),
    case("the same, for S3", S3, path="/%C3%A9t%C3%A9/%F0%9F%98%80", query=[("été", "😀")]),
    case("dots and slashes", path="/a/./b//../c/"),
    case("more dots than there are directories", path="/../../a/.."),
    case("dots and slashes are names, for S3", S3, path="/a/./b//../c/"),
    case("a tilde and other marks", S3, path="/~a/b!c*d'e(f)", query=[("~", "!*'()")]),
    case("a key twice", query=[("a", "2"), ("a", "10"), ("a", "1")]),
    case("empty values", S3, query=[("uploads", ""), ("prefix", ""), ("acl", "")]),
    case("an empty name", query=[("", "1"), ("a", "")]),
    case("blanks, marks and slashes in a query", S3, query=[("prefix", "a b/c+d&e=f%"), ("delimiter", "/")]),
    case("order of names that begin alike", query=[("a-b", "1"), ("a", "2"), ("a.b", "3"), ("A", "4"), ("a0", "5")]),
    case("a field folded over lines", headers=[("X-Note", "one\n two\t\tthree  ")]),
    case("blanks within quotes", headers=[("X-Note", '"a   b"')]),
    case("a field twice", headers=[("X-Note", " b "), ("x-note", "a"), ("X-Other", "")]),
    case("order of fields without case", headers=[("x-amz-b", "1"), ("X-Amz-A", "2"),
                                                    ("X-AMZ-C", "3"), ("Accept", "*/*")]),
    case("a body not signed", S3, method="PUT", path="/key", body="whatever", unsigned=True),
    case("a body of S3", S3, method="PUT", path="/key", body="été", token="T"),
    case("a body of nothing", S3, method="DELETE", path="/key", query=[("versionId", "null")]),
]


class FixedTime(datetime.datetime):
    @classmethod
    def utcnow(cls):
        return cls(2026, 3, 1, 0, 5, 9)


def sign(this):
    credentials = botocore.credentials.Credentials(
        "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", this["token"] or None)
    quote = lambda text: urllib.parse.quote(text, safe="-._~")
    query = "&".join(f"{quote(p['name'])}={quote(p['value'])}" for p in this["query"])
    url = f"https://{HOST}{this['path']}" + (f"?{query}" if query else "")
    request = botocore.awsrequest.AWSRequest(method=this["method"], url=url, data=this["body"].encode())
    for field in this["headers"]:
        request.headers.add_header(field["name"], field["value"])
    request.context["payload_signing_enabled"] = not this["unsigned"]
    if this["service"] == S3:
        request.context["client_config"] = unittest.mock.Mock(s3={"payload_signing_enabled": not this["unsigned"]})
    signer = botocore.auth.S3SigV4Auth if this["service"] == S3 else botocore.auth.SigV4Auth
    with unittest.mock.patch("botocore.auth.datetime.datetime", FixedTime):
        signer(credentials, this["service"], "eu-west-1").add_auth(request)
    return request.headers["Authorization"]


def main():
    cases = []
    for this in CASES:
        authorization = sign(this)
        body = this.pop("body").encode()
        unsigned = this.pop("unsigned")
        this["payload_hash"] = "UNSIGNED-PAYLOAD" if unsigned else hashlib.sha256(body).hexdigest()
        cases.append({**this, "authorization": authorization})
    json.dump({"signed_by": f"botocore {botocore.__version__}", "time": "2026-03-01T00:05:09Z",
               "cases": cases}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
