"""The embedded controller is found by whoever has the data directory, and started again by whoever waits for it."""

import os
import pathlib
import signal
import threading
import time

import pytest

from conftest import signal_all, wait_until


@pytest.fixture
def go(plz):
    plz.env["GO"] = str(plz.home / "go")
    return plz.home / "go"


JOB = ("sh", "-c", "echo begun; while [ ! -e \"$GO\" ]; do sleep 0.05; done; echo done")


@pytest.fixture
def shells(plz):
    """Environments of other shells of this user: cron has no runtime directory, ssh and su another one."""
    another = plz.root / "another-run"
    another.mkdir(mode=0o700)
    short = {"XDG_RUNTIME_DIR": ""}
    yield {"another": {"XDG_RUNTIME_DIR": str(another)}, "none": short,
           "not there": {"XDG_RUNTIME_DIR": str(plz.root / "not-there")}}


def addresses(plz):
    lines = (plz.data / "controller.address").read_text().splitlines()
    return dict(line.split(" ", 1) for line in lines)


def test_another_runtime_directory_finds_the_running_controller(plz, go, shells):
    execution = plz.ok("run", "-d", "--", *JOB).out.strip()
    controller = plz.process("plz-controller")
    assert addresses(plz)["pid"] == str(controller)
    for name, env in shells.items():
        assert execution in [e["execution_id"] for e in plz.json("list", "--json", env=env)["executions"]], name
        assert plz.ok("run", "--", "echo", name, env=env).out == name + "\n"
    assert plz.process("plz-controller") == controller
    go.touch()
    assert plz.ok("logs", "--since", "start", execution, env=shells["another"]).out == "begun\ndone\n"


def test_shells_of_different_runtime_directories_start_at_once(plz, shells):
    environments = [{}, *shells.values()]
    processes = [plz.popen("run", "--", "echo", str(i), env=environments[i % len(environments)]) for i in range(8)]
    for i, process in enumerate(processes):
        out, err = process.communicate(timeout=120)
        assert (process.returncode, out.decode()) == (0, f"{i}\n"), err.decode()
    plz.process("plz-controller")
    plz.process("plz-worker")


def test_a_stale_address_is_harmless(plz, shells):
    plz.ok("run", "--", "true")
    plz.kill("plz-controller")
    assert (plz.data / "controller.address").exists()
    assert plz.ok("run", "--", "echo", "again", env=shells["another"]).out == "again\n"
    plz.kill("plz-controller")
    (plz.data / "controller.address").write_bytes(b"pid 1\nsocket /\0\xff")
    assert plz.ok("run", "--", "echo", "again").out == "again\n"


def test_a_runtime_directory_that_goes_takes_no_job_with_it(plz, go, shells):
    """As at a logout: the next shell has another one. The worker, which knew the old place, is replaced."""
    execution = plz.ok("run", "-d", "--", *JOB, env=shells["another"]).out.strip()
    plz.wait_for_state(execution, "running")
    socket = pathlib.Path(addresses(plz)["socket"])
    assert socket.is_relative_to(plz.root / "another-run")
    worker = plz.process("plz-worker")
    socket.unlink()
    socket.parent.rmdir()
    (plz.root / "another-run").rmdir()
    follower = plz.popen("logs", "--since", "start", execution)
    assert follower.stdout.readline() == b"begun\n"
    go.touch()
    out, err = follower.communicate(timeout=120)
    assert (follower.returncode, out) == (0, b"done\n"), err.decode()
    assert plz.ok("run", "--", "echo", "next").out == "next\n"
    assert plz.process("plz-worker") != worker


def test_a_controller_that_is_stopped_is_waited_for_as_long_as_was_asked(plz, shells):
    plz.ok("run", "--", "true")
    pid = plz.process("plz-controller")
    os.kill(pid, signal.SIGSTOP)
    try:
        for env in ({}, shells["another"]):
            done = plz("-t", "0.2", "status", env=env, timeout=60)
            assert done.status == 1 and str(pid) in done.err, str(done)
    finally:
        os.kill(pid, signal.SIGCONT)
    plz.ok("status")


def test_a_controller_that_is_killed_while_it_starts_is_started_again(plz):
    """At whatever moment: at once, while it opens its database, when it listens."""
    for i in range(12):
        plz.kill("plz-controller")
        left = threading.Semaphore(4)
        over = threading.Event()

        def kill_some():
            seen = set()
            while not over.is_set():
                for pid in set(plz.processes("plz-controller")) - seen:
                    if not left.acquire(blocking=False):
                        return
                    seen.add(pid)
                    time.sleep(0.004 * i)
                    signal_all([pid])

        killer = threading.Thread(target=kill_some)
        killer.start()
        try:
            done = plz("run", "--", "echo", str(i))
        finally:
            over.set()
            killer.join()
        assert (done.status, done.out) == (0, f"{i}\n"), (i, str(done))
    history = plz.json("history")
    assert len(history) == 12 and all(execution["success"] for execution in history.values())


def test_one_that_cannot_start_is_told_with_its_words(plz):
    plz.data.mkdir()
    (plz.data / "controller.toml").write_text("no-such-setting = 1\n")
    done = plz("run", "--", "true")
    assert done.status == 125 and "no setting 'no-such-setting'" in done.err and "controller.log" in done.err, str(done)
    wait_until(lambda: not plz.processes("plz-controller"), what="its end")
