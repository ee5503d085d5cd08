"""Uploads that begin and then stall, at every route that takes a body: whoever else is there notices nothing of them."""

import contextlib
import fcntl
import random
import resource
import select
import socket
import struct
import termios

from attack.ledger import Ledger
from conftest import wait_until

ID = "01a22e9a-2b31-7a7e-bd5c-7ae56f067bf6"
# A pack with one blob of 60 MB, as far as it came.
PACK = b"PLZPACK1" + bytes(32) + struct.pack("<QQQB7x", 60_000_000, 60_000_000, 0, 0)
# What each begins with, so that it is not refused before it stalls.
ROUTES = [("POST", "/v1/packs", PACK), ("POST", "/v1/executions", b"["), ("POST", "/v1/blobs/missing", b"x"),
          ("POST", "/v1/workers", b"{"), ("POST", "/v1/blobs/fetch", b"x"), ("POST", f"/v1/attempts/{ID}/measures", b"{"),
          ("POST", f"/v1/attempts/{ID}/finish", b"{"), ("POST", "/v1/collections", b"{")]
# Small ones, large ones, and such as do not tell.
FRAMINGS = ["Content-Length: 5000", "Content-Length: 9000000", "Transfer-Encoding: chunked"]


def allow_many_connections(count):
    """How many there can be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = max(soft, min(hard, count + 200))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(count, soft - 200)


def unread(peer):
    return struct.unpack("i", fcntl.ioctl(peer, termios.TIOCOUTQ, struct.pack("i", 0)))[0]


class StalledUploads:
    def __init__(self, path, count):
        self.peers = []
        for number in range(allow_many_connections(count)):
            method, target, begin = ROUTES[number % len(ROUTES)]
            framing = FRAMINGS[number // len(ROUTES) % len(FRAMINGS)]
            # A part of them has sent more than a small body holds.
            body = begin if framing.endswith("5000") or number % 2 else begin + b" " * 70_000
            if framing.endswith("chunked"):
                body = f"{len(body):x}\r\n".encode() + body + b"\r\n"
            peer = socket.socket(socket.AF_UNIX)
            peer.settimeout(120)
            peer.connect(str(path))
            peer.sendall(f"{method} {target} HTTP/1.1\r\nHost: plz\r\n{framing}\r\n\r\n".encode() + body)
            self.peers.append(peer)

    def wait_until_taken(self):
        """Until the controller has read all that they sent, wherever it keeps that."""
        waiting = list(self.peers)

        def taken():
            waiting[:] = [peer for peer in waiting if unread(peer) > 0]
            return not waiting

        wait_until(taken, what="the beginnings of all bodies to be read")

    def answered(self):
        """Those that have an answer, or were closed."""
        watch = select.poll()
        for peer in self.peers:
            watch.register(peer, select.POLLIN)
        ready = {fd for fd, _ in watch.poll(0)}
        return [peer for peer in self.peers if peer.fileno() in ready]

    def close(self):
        for peer in self.peers:
            peer.close()


def socket_of(plz):
    (path,) = [entry for entry in plz.runtime.rglob("*.sock") if entry.is_socket()]
    return path


def attack(plz, seed, count):
    """Returns the number of uploads, and the ledger."""
    chance = random.Random(f"{seed}/uploads")
    ledger = Ledger(plz, random.Random(f"{seed}/ledger"))
    run = lambda: plz.ok("run", "-p", ledger.parameters_file(ledger.new(status=0)), "--", "python3", "work.py")
    run()
    pid = plz.process("plz-controller")
    before = set(ledger.history())
    uploads = StalledUploads(socket_of(plz), count)
    uploads.wait_until_taken()
    # Some leave in the middle of it.
    for peer in chance.sample(uploads.peers, len(uploads.peers) // 10):
        uploads.peers.remove(peer)
        peer.close()
    for words in (("ping-backend",), ("list",), ("history",)):
        if plz(*words).status != 0:
            ledger.fault("hung", f"plz {words[0]} fails beside {len(uploads.peers)} stalled uploads")
    run()
    for peer in uploads.answered():
        with contextlib.suppress(ConnectionResetError):
            answer = peer.recv(65536)
            if not answer.startswith(b"HTTP/1.1 503 ") or b"\r\nRetry-After: " not in answer:
                ledger.fault("wrong", f"a stalled upload was answered {answer[:300]}")
    uploads.close()
    run()
    if plz.processes("plz-controller") != [pid]:
        ledger.fault("wrong", "the controller has died")
    made = set(ledger.history()) - before
    if len(made) != 2:
        ledger.fault("wrong", f"{len(made) - 2} executions came of uploads that never came to their end")
    leftovers = [entry for entry in (plz.data / "store" / "packs" / "incoming").iterdir()]
    wait_until(lambda: not any(entry.exists() for entry in leftovers), what="packs that were never whole to be gone")
    ledger.check()
    return count, ledger
