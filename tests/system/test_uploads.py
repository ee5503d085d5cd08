"""Uploads that stall: others go on, at full speed, and what stalled can still come to its end."""

import json
import socket

import pytest

from attack.uploads import StalledUploads, socket_of

# Many times the handlers that a controller has.
UPLOADS = 400


@pytest.fixture
def stalled(plz):
    plz.ok("run", "--", "true")
    uploads = StalledUploads(socket_of(plz), UPLOADS)
    uploads.wait_until_taken()
    yield uploads
    uploads.close()


def request(path, method, target, body=b""):
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(120)
        peer.connect(str(path))
        peer.sendall(f"{method} {target} HTTP/1.1\r\nHost: plz\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = b""
        while piece := peer.recv(65536):
            answer += piece
    return int(answer[9:12]), answer


def test_others_notice_nothing_of_stalled_uploads(plz, stalled):
    path = socket_of(plz)
    assert request(path, "GET", "/v1/ping")[0] == 200
    assert request(path, "POST", "/v1/executions", b"[]")[0] == 400
    plz.ok("list")
    plz.ok("history")
    plz.write("input", b"0123456789abcdef" * 1_000_000)
    plz.configure(input="file://input", excluded_paths=["input"])
    code = "import json, os; c = json.load(open(os.environ['CONFIGURATION_FILE'])); print(os.stat(c['input_directory'] + '/input').st_size)"
    assert plz.ok("run", "--", "python3", "-c", code).out == "16000000\n"
    # All of that while each of them still waits: none was answered, closed or cut.
    assert len(stalled.peers) == UPLOADS and not stalled.answered()


def test_a_stalled_upload_may_go_on(plz, stalled):
    path = socket_of(plz)
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(120)
        peer.connect(str(path))
        body = json.dumps({"user": "ada", "filler": "x" * 200_000}).encode()
        head = f"POST /v1/executions HTTP/1.1\r\nHost: plz\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        peer.sendall(head + body[:150_000])
        assert request(path, "GET", "/v1/ping")[0] == 200
        peer.sendall(body[150_000:])
        assert peer.recv(65536).startswith(b"HTTP/1.1 400 ")
    assert not stalled.answered()


def test_a_controller_ends_beside_them(plz, stalled):
    pid = plz.process("plz-controller")
    plz.kill("plz-controller", 15)
    for peer in stalled.peers:
        try:
            while peer.recv(65536):
                pass
        except ConnectionResetError:
            pass
    plz.ok("run", "--", "true")
    assert plz.process("plz-controller") != pid
