"""A controller that is somebody's service: over TLS with a CA of one's own, and through a real sshd."""

import os
import pathlib
import shutil
import subprocess

import pytest

from conftest import BIN, free_port, wait_until

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/bin:/usr/local/sbin")


@pytest.fixture
def serve(plz):
    """Starts a controller that listens on a port of this machine; the port."""
    plz.data = plz.root / "service"
    running = []

    def start(*words):
        port = free_port()
        reader, writer = os.pipe()
        running.append(subprocess.Popen(
            [str(BIN / "plz-controller"), "--data-directory", str(plz.data), "--listen", f"127.0.0.1:{port}",
             "--ready-fd", str(writer), *map(str, words)],
            env=plz.env, pass_fds=[writer], stderr=subprocess.PIPE))
        os.close(writer)
        with os.fdopen(reader) as answer:
            assert answer.read().startswith("ready"), running[0].stderr.read()
        return port

    yield start
    for process in running:
        process.terminate()
        process.wait(120)
    plz.end()


def openssl(directory, *words):
    subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True)


@pytest.fixture
def certificates(plz):
    """ca.pem, and of localhost certificate.pem and key.pem."""
    directory = plz.root / "certificates"
    directory.mkdir()
    (directory / "names").write_text("subjectAltName=DNS:localhost\n")
    openssl(directory, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=A CA of a test",
            "-keyout", "ca.key", "-out", "ca.pem")
    openssl(directory, "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "request")
    openssl(directory, "x509", "-req", "-in", "request", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "names", "-out", "certificate.pem")
    return directory


def test_over_tls_with_a_ca_of_ones_own(plz, serve, certificates):
    port = serve("--tls-certificate", certificates / "certificate.pem", "--tls-key", certificates / "key.pem")
    plz.write("data/file", "content\n" * 100_000)
    plz.configure(host="localhost", port=port, input="file://data",
                  connection_info={"schema": "https", "path_to_ca_file": str(certificates / "ca.pem")})
    done = plz.ok("run", "--", "sh", "-c", "echo seen $(wc -l < /plz/input/file); cp /plz/input/file /plz/output/")
    assert done.out == "seen 100000\n"
    assert (plz.project / "output" / done.id / "file").read_text() == "content\n" * 100_000
    assert list(plz.json("history")) == [done.id]


def test_a_certificate_that_nobody_vouches_for_is_refused(plz, serve, certificates):
    port = serve("--tls-certificate", certificates / "certificate.pem", "--tls-key", certificates / "key.pem")
    for host, ca in (("localhost", None), ("127.0.0.1", certificates / "ca.pem")):
        info = {"schema": "https", **({"path_to_ca_file": str(ca)} if ca else {})}
        plz.configure(host=host, port=port, connection_info=info)
        done = plz("run", "-t", "60", "--", "true")
        assert done.status == 125 and "certificate" in done.err, str(done)
    plz.configure(host="localhost", port=port)
    done = plz("ping-backend", "-t", "2")
    assert done.status != 0 and f"localhost:{port}" in done.err, str(done)


class Sshd:
    """A server with keys of its own, on a port of its own. `ssh` on PATH knows it as "box"."""

    def __init__(self, directory):
        self.directory = directory
        self.port = free_port()
        directory.mkdir(mode=0o700)
        for key in ("host_key", "key", "other_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / key)], check=True)
        shutil.copy(directory / "key.pub", directory / "authorized_keys")
        host_key = (directory / "host_key.pub").read_text()
        (directory / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {host_key}")
        (directory / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {directory}/host_key\nPidFile none\n"
            f"AuthorizedKeysFile {directory}/authorized_keys\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n")
        (directory / "ssh_config").write_text(
            f"Host box\n  HostName 127.0.0.1\n  Port {self.port}\n  UserKnownHostsFile {directory}/known_hosts\n"
            "  BatchMode yes\n  IdentitiesOnly yes\n  IdentityAgent none\n")
        (directory / "bin").mkdir()
        (directory / "bin" / "ssh").write_text(f"#!/bin/sh\nexec {shutil.which('ssh')} -F {directory}/ssh_config \"$@\"\n")
        (directory / "bin" / "ssh").chmod(0o755)
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        self.log = open(directory / "log", "wb")
        self.process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(directory / "sshd_config")], stderr=self.log)
        wait_until(lambda: b"listening" in (directory / "log").read_bytes(), what="sshd")

    def end(self):
        self.process.terminate()
        self.process.wait(120)
        self.log.close()


@pytest.fixture
def sshd(plz):
    if not SSHD:
        pytest.skip("openssh-server is not installed")
    server = Sshd(plz.root / "ssh")
    plz.env["PATH"] = f"{server.directory}/bin:{plz.env['PATH']}"
    yield server
    server.end()


def forwards(plz):
    """Processes of ssh that this test's plz has left."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            words = pathlib.Path("/proc", entry, "cmdline").read_bytes()
        except OSError:
            continue
        if entry.isdigit() and words.startswith(b"/usr/bin/ssh\0") and str(plz.root).encode() in words:
            found.append(int(entry))
    return found


def test_through_ssh(plz, serve, sshd):
    port = serve()
    plz.write("data/file", "content\n" * 100_000)
    plz.configure(host="box", port=port, input="file://data",
                  connection_info={"schema": "http-ssh", "path_to_private_key": str(sshd.directory / "key")})
    done = plz.ok("run", "-t", "60", "--", "sh", "-c",
                  "echo seen $(wc -l < /plz/input/file); cp /plz/input/file /plz/output/; exit 0")
    assert done.out == "seen 100000\n"
    assert (plz.project / "output" / done.id / "file").read_text() == "content\n" * 100_000
    assert plz.ok("last", "-t", "60").out.strip() == done.id
    wait_until(lambda: not forwards(plz), what="the forwards to end")


def test_an_ssh_that_is_refused_says_so(plz, serve, sshd):
    port = serve()
    plz.configure(host="box", port=port,
                  connection_info={"schema": "http-ssh", "path_to_private_key": str(sshd.directory / "other_key")})
    done = plz("run", "-t", "60", "--", "true")
    assert done.status == 125, str(done)
    assert "Permission denied" in done.err and "ssh could not reach box" in done.err, str(done)
    assert not forwards(plz)


def test_an_ssh_that_leads_to_no_controller_says_so(plz, sshd):
    plz.configure(host="box", port=free_port(),
                  connection_info={"schema": "http-ssh", "path_to_private_key": str(sshd.directory / "key")})
    done = plz("ping-backend", "-t", "5")
    assert done.status != 0 and "!! " in done.err, str(done)
    wait_until(lambda: not forwards(plz), what="the forward to end")
