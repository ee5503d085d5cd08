"""Where plz itself cannot write: stdout, stderr, the place for the output. The job goes on, and that is said."""

import os
import resource
import subprocess

import pytest

from conftest import wait_until

JOB = ("sh", "-c", "echo begun; while [ ! -e \"$GO\" ]; do sleep 0.05; done; echo done; echo 1 > /plz/output/file")


@pytest.fixture
def full():
    with open("/dev/full", "wb", buffering=0) as file:
        yield file


@pytest.fixture
def go(plz):
    plz.env["GO"] = str(plz.home / "go")
    return plz.home / "go"


def ended(process):
    out, err = process.communicate(timeout=120)
    return process.returncode, err.decode()


def ends_well(plz, go, execution):
    go.touch()
    plz.wait_for_state(execution, "finished")
    assert plz.json("describe", execution)["success"] is True


@pytest.mark.parametrize("command", ["run", "rerun"])
def test_a_run_whose_stdout_is_full_says_so_and_the_job_goes_on(plz, go, full, command):
    words = ("run", "--", *JOB)
    if command == "rerun":
        go.touch()
        plz.ok("run", "--", *JOB)
        go.unlink()
        words = ("rerun",)
    status, err = ended(plz.popen(*words, stdout=full))
    execution = plz.ok("last").out.strip()
    assert status == 125, err
    assert "!! cannot write to stdout: No space left on device" in err
    assert f"the execution goes on; to see it: plz logs {execution}" in err
    plz.wait_for_state(execution, "running")
    ends_well(plz, go, execution)
    assert plz.ok("logs", "--since", "start").out == "begun\ndone\n"


def test_logs_of_which_stdout_is_full(plz, go, full):
    execution = plz.ok("run", "-d", "--", *JOB).out.strip()
    status, err = ended(plz.popen("logs", "--since", "start", stdout=full))
    assert status == 1 and "!! cannot write to stdout: No space left on device" in err and execution in err, err
    ends_well(plz, go, execution)


def test_a_detached_run_was_submitted(plz, go, full):
    status, err = ended(plz.popen("run", "-d", "--", *JOB, stdout=full))
    execution = plz.ok("last").out.strip()
    assert status == 125 and f"the execution {execution} was submitted and goes on" in err, err
    ends_well(plz, go, execution)


def test_every_command_that_prints_says_that_it_could_not(plz, full):
    plz.write("code.txt", "code\n")
    command = 'echo 1 > /plz/measures/a; echo x; cat code.txt'
    first = plz.ok("run", "--", "sh", "-c", command).id
    plz.write("code.txt", "other code\n")
    second = plz.ok("run", "--", "sh", "-c", command).id
    commands = [("history",), ("history", "--format", "jsonl"), ("history", "--format", "csv"),
                ("history", "--format", "table"), ("status",), ("status", "--json"), ("measures",), ("describe",),
                ("describe", "--json"), ("list",), ("list", "--json"), ("last",), ("list-context",),
                ("list-context", "--json"), ("ping-backend", "--json"), ("gc", "--dry-run"),
                ("gc", "--dry-run", "--json"), ("completion", "bash"), ("--help",), ("--version",),
                ("run", "--help"), ("logs", "--since", "start")]
    for words in commands:
        status, err = ended(plz.popen(*words, stdout=full))
        assert status == 1 and err.count("!! cannot write to stdout: No space left on device") == 1, (words, err)
    for words in [("diff", first, second), ("verify",)]:
        status, err = ended(plz.popen(*words, stdout=full))
        assert status == 125 and "!! cannot write to stdout: No space left on device" in err, (words, err)
    status, err = ended(plz.popen("delete", "--yes", first, stdout=full))
    assert status == 1 and f"{first} was deleted" in err, err
    assert list(plz.json("history"))[-1] == second


def test_a_reader_that_has_gone_is_nothing_to_speak_of(plz, go):
    process = plz.popen("run", "--", *JOB)
    assert process.stdout.readline() == b"begun\n"
    process.stdout.close()
    go.touch()
    assert process.wait(timeout=120) == 0
    err = process.stderr.read().decode()
    assert "!!" not in err and "**" not in err, err
    for words in [("logs", "--since", "start"), ("history",), ("status",), ("completion", "zsh"), ("--help",)]:
        reader, writer = os.pipe()
        os.close(reader)
        process = plz.popen(*words, stdout=writer)
        os.close(writer)
        status, err = ended(process)
        assert status == 0 and "!!" not in err, (words, err)


def test_a_limit_on_file_sizes_is_told_and_kills_nobody(plz):
    plz.ok("ping-backend")
    target = plz.root / "log"
    with target.open("wb") as file:
        process = plz.popen("run", "--", "head", "-c", "100000", "/dev/zero", stdout=file, stderr=subprocess.PIPE,
                            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY)))
        status, err = ended(process)
    assert status == 125 and "!! cannot write to stdout: File too large" in err, err
    assert target.stat().st_size == 4096
    plz.wait_for_state(plz.ok("last").out.strip(), "finished")


def test_a_stderr_that_is_full_disturbs_nothing(plz, full):
    process = plz.popen("run", "--", "sh", "-c", "echo out; exit 7", stderr=full)
    out, _ = process.communicate(timeout=120)
    assert (process.returncode, out) == (7, b"out\n")
    process = plz.popen("status", stderr=full)
    assert process.communicate(timeout=120)[0].startswith(b"Running: False")
    assert process.returncode == 0


def test_an_output_that_the_disk_has_no_room_for(plz):
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    small = plz.root / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], check=True)
    try:
        done = plz("run", "-o", small / "out", "--", "sh", "-c", "head -c 3000000 /dev/urandom > /plz/output/large")
        assert done.status == 125, str(done)
        assert "No space left on device" in done.err and str(small / "out") in done.err, str(done)
        assert f"plz output {done.id}" in done.err, str(done)
        again = plz("output", "-o", small / "out")
        assert again.status == 1 and "No space left on device" in again.err and str(small / "out") in again.err
        assert list(small.iterdir()) == []
        plz.ok("output", "-o", plz.root / "elsewhere")
        assert (plz.root / "elsewhere" / "large").stat().st_size == 3_000_000
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)
