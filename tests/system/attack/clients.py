"""Requests that nobody should send, on the controller's own socket: each gets a refusal, and nobody else notices."""

import contextlib
import json
import os
import random
import socket

from attack.ledger import Ledger

ID = "01a22e9a-2b31-7a7e-bd5c-7ae56f067bf6"
ROUTES = [("GET", "/v1/ping"), ("GET", "/v1/history"), ("POST", "/v1/executions"), ("PUT", f"/v1/leases/{ID}"),
          ("POST", "/v1/blobs/missing"), ("POST", "/v1/packs"), ("POST", "/v1/blobs/fetch"), ("POST", "/v1/workers"),
          ("POST", f"/v1/workers/{ID}/poll?wait=1"), ("PUT", f"/v1/attempts/{ID}/log?offset=0"),
          ("POST", f"/v1/attempts/{ID}/finish"), ("DELETE", f"/v1/executions/{ID}"), ("GET", f"/v1/executions/{ID}/logs"),
          ("GET", "/v1/events?topics=executions"), ("POST", "/v1/instances/kill"), ("POST", "/v1/collections")]


def some_bytes(chance, limit):
    return chance.randbytes(chance.randint(0, limit))


def some_json(chance, depth=0):
    kind = chance.randint(0, 7 if depth < 6 else 5)
    if kind == 0:
        return chance.choice([None, True, False])
    if kind == 1:
        return chance.choice([0, -1, 2**53, -2**63, 2**64, 10**400, 1e308, -0.0])
    if kind <= 4:
        return chance.choice(["", "x" * 10_000, "\0", "../../etc/passwd", ID, "\ud800", "' or 1=1 --"])
    if kind <= 6:
        return [some_json(chance, depth + 1) for _ in range(chance.randint(0, 5))]
    names = ["user", "project", "command", "parameters", "snapshot", "resources", "cpus", "output_tree", "outcome", "id"]
    return {chance.choice(names): some_json(chance, depth + 1) for _ in range(chance.randint(0, 6))}


def request(chance):
    """The bytes of one, and whether a whole one, which has to be answered."""
    method, target = chance.choice(ROUTES)
    kind = chance.randint(0, 11)
    head = f"{method} {target} HTTP/1.1\r\nHost: plz\r\n"
    if kind == 0:
        return some_bytes(chance, 4000), False
    if kind == 1:
        return f"{head}Content-Length: {chance.choice(['-1', '1e9', '99999999999999999999', '5, 6', ''])}\r\n\r\nhello".encode(), False
    if kind == 2:
        return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chance.choice([b"zz\r\n", b"-1\r\n", b"ffffffffffffffff\r\n"]) + some_bytes(chance, 100), False
    if kind == 3:
        return (head + f"X-Large: {'x' * chance.choice([10_000, 1_000_000])}\r\n\r\n").encode(), False
    if kind == 4:
        return (head + "".join(f"X-{i}: {i}\r\n" for i in range(5000)) + "\r\n").encode(), False
    if kind == 5:
        return f"{head}Content-Length: 1000\r\n\r\nhalf".encode(), False
    if kind == 6:
        return head.encode()[:chance.randint(1, len(head))], False
    if kind == 7:
        return f"{method} {target}{'/..' * 50}%00%2e%2e%ff HTTP/1.1\r\nHost: plz\r\n\r\n".encode(), False
    if kind == 8:
        return f"{head}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode(), False
    body = some_bytes(chance, 100_000) if kind == 9 else json.dumps(some_json(chance)).encode() if kind == 10 else b"[" * 100_000
    key = "".join(f"{byte:02x}" for byte in chance.randbytes(16))
    return f"{head}Idempotency-Key: {key}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body, True


def attack(plz, seed, requests):
    """Returns the number of requests, and the ledger."""
    chance = random.Random(f"{seed}/clients")
    ledger = Ledger(plz, random.Random(f"{seed}/ledger"))
    plz.ok("run", "-p", ledger.parameters_file(ledger.new(status=0)), "--", "python3", "work.py")
    pid = plz.process("plz-controller")
    before = set(ledger.history())
    (path,) = [entry for entry in plz.runtime.rglob("*.sock") if entry.is_socket()]
    held = []  # connections that say no more, and read nothing
    for number in range(requests):
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(120)
        text, is_whole = request(chance)
        answer = b""
        try:
            peer.connect(str(path))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                peer.sendall(text)
            if is_whole:
                with contextlib.suppress(ConnectionResetError):
                    answer = peer.recv(65536)
        except OSError as error:
            ledger.fault("hung" if isinstance(error, TimeoutError) else "wrong", f"request {number}, {text[:200]}: {error}")
        held.append(peer)
        status = answer[9:12].decode("ascii", "replace")
        if status.startswith("5") and status != "503":
            ledger.fault("wrong", f"request {number}, {text[:300]}: {answer[:1000]}")
        if len(held) > 200:
            held.pop(chance.randrange(len(held))).close()
        if number % 50 == 0 and plz("ping-backend").status != 0:
            ledger.fault("hung", f"after request {number} the controller does not answer")
    if plz.processes("plz-controller") != [pid]:
        ledger.fault("wrong", "the controller has died")
    plz.ok("run", "-p", ledger.parameters_file(ledger.new(status=0)), "--", "python3", "work.py")
    for peer in held:
        peer.close()
    made = set(ledger.history()) - before
    if len(made) != 1:
        ledger.fault("wrong", f"{len(made) - 1} executions came of requests that ask for none")
    if os.path.exists(plz.data / "controller.log") and "terminate called" in (plz.data / "controller.log").read_text("utf-8", "replace"):
        ledger.fault("wrong", "the controller's log tells of an uncaught exception")
    ledger.check()
    return requests, ledger
