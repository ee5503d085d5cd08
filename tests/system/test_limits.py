"""Memory and threads that lack: a sentence that says what and what to do, and never an abort."""

import os
import resource
import subprocess

import pytest

from conftest import BIN

MIB = 1 << 20
COMMANDS = [("run", "--", "true"), ("list",), ("history",)]


def with_memory(size):
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (size * MIB, size * MIB))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return limit


def with_processes(count):
    """And threads, of all that the user has."""
    def limit():
        resource.setrlimit(resource.RLIMIT_NPROC, (count, count))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return limit


def fits(program, size):
    """Below that the kernel or the loader ends it before its first line. A sanitizer's build never fits."""
    return subprocess.run([BIN / program, "--version"], capture_output=True, preexec_fn=with_memory(size), timeout=120).returncode == 0


@pytest.fixture(autouse=True)
def a_build_that_can_be_limited():
    if not fits("plz", 2000):
        pytest.skip("this build needs more memory than any limit")


def services(plz):
    return {"plz-controller": ["--data-directory", str(plz.data), "--no-local-worker", "--listen", "127.0.0.1:0"],
            "plz-worker": ["--controller", f"unix:{plz.root}/none", "--directory", str(plz.data)]}


def ends_with_words(done, *statuses):
    assert done.status in statuses, str(done)
    assert done.status == 0 or "!! " in done.err, str(done)
    assert "terminate called" not in done.err, str(done)


@pytest.mark.parametrize("words", COMMANDS, ids=[words[0] for words in COMMANDS])
def test_a_command_without_memory(plz, words):
    plz.ok("run", "--", "true")
    sizes = [size for size in (16, 18, 20, 22, 24, 28, 32, 40, 50, 64, 100, 200, 2000) if fits("plz", size)]
    for size in sizes:
        done = plz(*words, preexec_fn=with_memory(size))
        ends_with_words(done, 0, 1, 125)
    assert done.status == 0, str(done)
    # Whatever became of them, nobody else is harmed.
    assert plz.ok("run", "--", "echo", "well").out == "well\n"


def test_the_first_command_without_memory(plz):
    for size in [size for size in (20, 40, 60, 100) if fits("plz", size)] + [200]:
        done = plz("run", "--", "true", preexec_fn=with_memory(size))
        ends_with_words(done, 125)
    assert "`ulimit -v` allows 200 here" in done.err and "start it from a shell that allows more" in done.err, str(done)
    assert plz.processes("plz-controller") == []
    plz.ok("run", "--", "true", preexec_fn=with_memory(2000))


@pytest.mark.parametrize("program", ["plz-controller", "plz-worker"])
def test_services_without_memory(plz, program):
    for size in [size for size in (20, 40, 100) if fits(program, size)] + [200]:
        done = subprocess.run([BIN / program, *services(plz)[program]], env=plz.env, capture_output=True, text=True,
                              preexec_fn=with_memory(size), timeout=120)
        assert done.returncode == 1, str(done)
        assert program in done.stderr and "terminate called" not in done.stderr, str(done)
    assert "`ulimit -v` allows 200 here" in done.stderr, str(done)


@pytest.mark.skipif(os.geteuid() == 0, reason="root has no limit on processes")
def test_commands_without_threads(plz):
    plz.ok("run", "--", "true")
    for words in COMMANDS:
        ends_with_words(plz(*words, preexec_fn=with_processes(1)), 0, 125)
    assert plz.ok("run", "--", "echo", "well").out == "well\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root has no limit on processes")
@pytest.mark.parametrize("program", ["plz-controller", "plz-worker"])
def test_services_without_threads(plz, program):
    done = subprocess.run([BIN / program, *services(plz)[program]], env=plz.env, capture_output=True, text=True,
                          preexec_fn=with_processes(1), timeout=120)
    assert done.returncode == 1, str(done)
    assert program in done.stderr and "thread" in done.stderr and "ulimit -u" in done.stderr, str(done)
    assert "terminate called" not in done.stderr, str(done)
