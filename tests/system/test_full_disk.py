"""A full disk: said at once, with directory and size, to whoever waits; an end after a set time; what was kept is reachable."""

import os
import subprocess

import pytest

from conftest import fill_disk, wait_until

DISK = 24 << 20


@pytest.fixture
def disk(plz):
    """The data directory is a small disk of its own; but for what the worker has, whose room the test does not know."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    plz.data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(plz.data)], check=True)
    (plz.data / "worker").mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "tmpfs", str(plz.data / "worker")], check=True)
    (plz.data / "controller.toml").write_text("storage-patience-minutes = 0.05\n")
    yield plz.data / "ballast"
    plz.end()
    for place in (plz.data / "worker", plz.data):
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def go(plz):
    plz.env["GO"] = str(plz.home / "go")
    return plz.home / "go"


WAIT = "echo begun; while [ ! -e \"$GO\" ]; do sleep 0.05; done; "


def read_until(stream, words):
    said = b""
    while words not in said:
        piece = os.read(stream.fileno(), 4096)
        assert piece, said.decode()
        said += piece
    return said


def started(plz, job, before=""):
    process = plz.popen("run", "--", "sh", "-c", before + WAIT + job)
    assert process.stdout.readline() == b"begun\n"
    (execution,) = [e["execution_id"] for e in plz.json("list", "--json")["executions"]]
    plz.wait_for_state(execution, "running")  # its log is there before its start is told
    return process, execution


def test_it_is_said_at_once_and_goes_on_with_room(plz, disk, go):
    process, execution = started(plz, "seq 100000")
    fill_disk(disk, 4096)
    full = f"{plz.data} has ".encode()
    said = read_until(process.stderr, full)
    assert b"** Waiting for room: " in said and b" free of 24.0 MiB" in said, said.decode()
    status = plz.ok("status", execution).out
    assert f"Waiting For: room: {plz.data} has " in status and "its log" in status, status
    assert f"room: {plz.data} has " in plz.ok("list").out
    refused = plz("run", "-d", "--", "true")
    assert refused.status == 125 and f"{plz.data} has " in refused.err and " free of 24.0 MiB" in refused.err, refused
    go.touch()
    disk.unlink()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err.decode()
    assert out.decode().split() == [str(i) for i in range(1, 100_001)]
    assert "room" not in plz.ok("status", execution).out


def test_the_end_comes_after_a_set_time_and_what_was_kept_is_reachable(plz, disk, go):
    """Nothing at all is free, but what is held for the end."""
    process, execution = started(plz, "echo last line; exit 3", "echo kept > /plz/output/file; ")
    wait_until((plz.data / "reserve").exists, what="room to be held")
    fill_disk(disk, 4096)
    read_until(process.stderr, f"{plz.data} has ".encode())
    kept = plz.data / "worker" / "kept_output"
    go.touch()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 3, err.decode()
    document = plz.json("describe", execution)
    outcome = document["outcome"]
    assert outcome["kind"] == "output_not_stored" and outcome["exit_status"] == 3, outcome
    (directory,) = [path for path in kept.iterdir() if path.is_dir()]
    (log,) = kept.glob("*.log")
    assert log.read_text() == "begun\nlast line\n" and str(log) in outcome["reason"], outcome
    assert (directory / "file").read_text() == "kept\n" and str(directory) in outcome["reason"], outcome
    assert f"{plz.data} has " in outcome["reason"] and " free of 24.0 MiB" in outcome["reason"], outcome
    # Not while the disk is full, and then as any output.
    fill_disk(disk, 4096)
    refused = plz("output", execution, "-o", "out")
    assert refused.status == 1 and " free of 24.0 MiB" in refused.err and "kept" in refused.err, refused
    disk.unlink()
    done = plz.ok("output", execution, "-o", "out")
    assert (plz.project / "out" / "file").read_text() == "kept\n", done
    # gc counts it and leaves it; delete frees it.
    report = plz.json("gc", "--json")
    (instance,) = report["instances"]
    size = len("kept\n") + len("begun\nlast line\n")
    assert (instance["outputs"], instance["kept_outputs"], instance["kept_output_bytes"]) == (0, 1, size), instance
    assert "1 output that could not be stored, 21 bytes" in plz.ok("gc", "--dry-run").out
    plz.ok("delete", "--yes", execution)
    wait_until(lambda: list(kept.iterdir()) == [], what="what was kept to go")


def test_gc_frees_what_a_deletion_left(plz, disk, go):
    """Where no worker was there to hear of it."""
    process, execution = started(plz, "true", "echo kept > /plz/output/file; ")
    kept = plz.data / "worker" / "kept_output"
    wait_until((plz.data / "reserve").exists, what="room to be held")
    fill_disk(disk, 4096)
    go.touch()
    process.communicate(timeout=120)
    assert process.returncode == 125
    disk.unlink()
    (directory,) = [path for path in kept.iterdir() if path.is_dir()]
    # Of an attempt that nobody knows: as if its execution had been deleted while no worker was there.
    lost = directory.with_name("01900000-0000-7000-8000-000000000000")
    lost.mkdir()
    (lost / "file").write_text("lost")
    dry = plz.ok("gc", "--dry-run").out
    assert "1 output that could not be stored, 4 bytes" in dry and lost.exists(), dry
    assert "1 output that could not be stored, 4 bytes" in plz.ok("gc").out
    assert not lost.exists() and directory.exists()
