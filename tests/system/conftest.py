"""A clean home, data directory and project for each test, and plz to run in it."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pytest

BIN = pathlib.Path(os.environ["PLZ_BIN"])
EXAMPLES = pathlib.Path(os.environ.get("PLZ_EXAMPLES", pathlib.Path(__file__).parents[2] / "examples"))

# A shell starts what runs in its background with SIGINT ignored, and plz would leave it at that.
signal.signal(signal.SIGINT, signal.default_int_handler)


class Finished:
    def __init__(self, process):
        self.status = process.returncode
        self.out_bytes = process.stdout
        self.err_bytes = process.stderr
        self.out = process.stdout.decode("utf-8", "replace")
        self.err = process.stderr.decode("utf-8", "replace")

    @property
    def id(self):
        for line in self.err.splitlines():
            if line.startswith("=> Execution ID is: "):
                return line.split(": ")[1]
        raise AssertionError("no execution id in:\n" + self.err)

    def __repr__(self):
        return f"status {self.status}\n--- out\n{self.out[-3000:]}\n--- err\n{self.err[-3000:]}"


class Plz:
    """One person on one machine."""

    def __init__(self, root):
        self.root = root
        self.home = root / "home"
        self.data = root / "data"
        self.project = root / "project"
        self.runtime = root / "run"
        for directory in (self.home, self.project, self.runtime):
            directory.mkdir()
        self.runtime.chmod(0o700)
        self.env = {
            "HOME": str(self.home),
            "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PLZ_DATA_DIR": str(self.data),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "USER": "ada",
        }

    def popen(self, *words, cwd=None, env=None, **kwargs):
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        kwargs.setdefault("stdout", subprocess.PIPE)
        kwargs.setdefault("stderr", subprocess.PIPE)
        kwargs.setdefault("bufsize", 0)  # what readline() read ahead would be lost to communicate()
        return subprocess.Popen([str(BIN / "plz"), *map(str, words)], cwd=cwd or self.project,
                                env={**self.env, **(env or {})}, **kwargs)

    def __call__(self, *words, cwd=None, env=None, timeout=300, stdin=b"", preexec_fn=None):
        process = subprocess.run([str(BIN / "plz"), *map(str, words)], cwd=cwd or self.project,
                                 env={**self.env, **(env or {})}, input=stdin, timeout=timeout,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=preexec_fn)
        return Finished(process)

    def ok(self, *words, **kwargs):
        done = self(*words, **kwargs)
        assert done.status == 0, str(done)
        return done

    def json(self, *words, **kwargs):
        return json.loads(self.ok(*words, **kwargs).out)

    def write(self, name, content, mode=None):
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content)
        if mode is not None:
            path.chmod(mode)
        return path

    def configure(self, **settings):
        self.write("plz.config.json", json.dumps(settings))

    def processes(self, program):
        """Process ids of our own programs of this name (they carry our data directory in their words)."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                words = pathlib.Path("/proc", entry, "cmdline").read_bytes().split(b"\0")
                state = pathlib.Path("/proc", entry, "stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:
                continue
            if state == "Z" or not words or os.path.basename(words[0]).decode("utf-8", "replace") != program:
                continue
            if any(str(self.data).encode() in word for word in words[1:]):
                found.append(int(entry))
        return found

    def process(self, program):
        """The only one, once it is: the child of a process shows that one's words until it starts its own program."""
        found = []
        wait_until(lambda: found.append(self.processes(program)) or len(found[-1]) == 1, what=f"one {program}")
        return found[-1][0]

    def kill(self, program, number=signal.SIGKILL):
        """Whatever of it is there, and returns that."""
        pids = self.processes(program)
        signal_all(pids, number)
        return pids

    def logs(self):
        """What controller and worker said, for a test that failed."""
        return "".join(f"--- {path}\n{path.read_text('utf-8', 'replace')[-3000:]}\n"
                       for path in (self.data / "controller.log", self.data / "worker.log") if path.exists())

    def state(self, execution):
        """Also of a composite, whose description is that of its parts."""
        return self.json("history", "--all")[execution]["state"]

    def wait_for_state(self, execution, *states, timeout=120):
        wait_until(lambda: self.state(execution) in states, timeout, f"{execution} to be {states}")

    def end(self):
        for program in ("plz-controller", "plz-worker"):
            self.kill(program, signal.SIGTERM)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and (self.processes("plz-controller") or self.processes("plz-worker")):
            time.sleep(0.02)
        for program in ("plz-controller", "plz-worker", "plz-init", "bwrap"):
            self.kill(program)


def signal_all(pids, number=signal.SIGKILL):
    """Those of them that are still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def wait_until(condition, timeout=120, what="it"):
    deadline = time.monotonic() + timeout
    over = False
    while not (found := condition()):
        if over:
            raise AssertionError(f"waited {timeout} s for {what}")
        over = time.monotonic() > deadline  # one look more
        time.sleep(0.02)
    return found


def fill_disk(path, *pieces):
    """The file takes what is free where it lies, in pieces of these sizes, one after the other (65536)."""
    # Unbuffered: what is left in a buffer would be written, and fail, once more when the file is closed.
    with open(path, "wb", buffering=0) as file:
        for piece in pieces or (65536,):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"\0" * piece)


_ports = []


def free_port():
    """A port of this machine that nobody else gets before a server of ours has it: bound, but not listened at."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    _ports.append(holder)
    return holder.getsockname()[1]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    person = item.funcargs.get("plz")
    if report.when == "call" and report.failed and isinstance(person, Plz):
        report.sections.append(("logs", person.logs()))


@pytest.fixture
def plz():
    root = pathlib.Path(tempfile.mkdtemp(prefix="plz-system-"))
    person = Plz(root)
    yield person
    person.end()
    subprocess.run(["chmod", "-R", "u+rwx", str(root)], check=False, stderr=subprocess.DEVNULL)
    shutil.rmtree(root, ignore_errors=True)
