"""kill -9 of every part at every step: no execution, log line or result is lost or doubled."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

import pytest

from conftest import BIN, fill_disk, signal_all, wait_until

# Numbered lines for some seconds: any that is lost or doubled shows. It goes on until what is to be killed is.
COUNT = r"""
import os, time
for i in range(400):
    print("line", i, flush=True)
    time.sleep(0.005)
while not os.path.exists(os.environ["GO"]):
    time.sleep(0.05)
"""
EXPECTED = "".join(f"line {i}\n" for i in range(400))


@pytest.fixture
def go(plz):
    """The file that a job waits for."""
    path = plz.home / "go"
    plz.env["GO"] = str(path)
    return path


def waiting(go, *then):
    """For a shell: waits for the file first, whose path tells this process from others."""
    return "; ".join((f"while [ ! -e {go} ]; do sleep 0.05; done", *then))


def kill(plz, program, number=signal.SIGKILL):
    assert plz.kill(program, number), f"no {program} is running"


def kill_all_parts(plz):
    signal_all(plz.processes("plz-controller") + plz.processes("plz-worker") + outer_halves(plz))


def outer_halves(plz):
    """The file that an outer half holds locked begins with its process id."""
    pids = []
    for lock in (plz.data / "worker" / "attempts").glob("*/init.lock"):
        try:
            text = lock.read_text().split()
        except FileNotFoundError:  # the attempt has been removed
            continue
        if text and pathlib.Path("/proc", text[0]).exists():
            pids.append(int(text[0]))
    return pids


def commands():
    """{process id: the words it was started with}"""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                found[int(entry)] = pathlib.Path("/proc", entry, "cmdline").read_bytes().decode("utf-8", "replace")
    return found


def sleepers(seconds):
    """Processes `sleep SECONDS`: nobody else's, where our own process id is part of the number."""
    return [pid for pid, words in commands().items() if words == f"sleep\0{seconds}\0"]


@pytest.mark.parametrize("victim", ["plz-controller", "plz-worker", "outer"])
@pytest.mark.parametrize("delay", [0.0, 0.3, 1.0])
def test_the_job_and_its_log_survive(plz, go, victim, delay):
    plz.write("job.py", COUNT)
    process = plz.popen("run", "--", "python3", "job.py")
    wait_until(lambda: outer_halves(plz), what="the job")
    time.sleep(delay)
    if victim == "outer":
        pids = outer_halves(plz)
        assert pids, "the outer half has ended"
        signal_all(pids)
    else:
        kill(plz, victim)
    go.touch()
    out, err = process.communicate(timeout=120)
    assert out.decode() == EXPECTED, err.decode()
    assert process.returncode == 0, err.decode()
    assert b"Execution succeeded" in err


def test_everything_is_killed_at_once(plz, go):
    plz.write("job.py", COUNT)
    execution = plz.ok("run", "-d", "--", "python3", "job.py").out.strip()
    plz.wait_for_state(execution, "running")
    kill_all_parts(plz)
    go.touch()
    assert plz.ok("logs", execution, "--since", "start").out == EXPECTED
    plz.wait_for_state(execution, "finished")
    assert plz.json("describe", execution)["success"] is True


def test_a_job_that_ends_while_nobody_looks(plz, go):
    command = waiting(go, "echo done", "exit 5")
    execution = plz.ok("run", "-d", "--", "sh", "-c", command).out.strip()
    plz.wait_for_state(execution, "running")
    wait_until(lambda: f"sh\0-c\0{command}\0" in commands().values(), what="the job")
    kill_all_parts(plz)
    go.touch()
    wait_until(lambda: not any(str(go) in words for words in commands().values()), what="the job's end")
    time.sleep(0.3)
    assert plz.ok("logs", execution, "--since", "start").out == "done\n"
    plz.wait_for_state(execution, "finished")
    assert plz.json("describe", execution)["exit_status"] == 5


def test_a_job_killed_from_outside_is_told(plz):
    seconds = f"600.{os.getpid()}"
    execution = plz.ok("run", "-d", "--", "sleep", seconds).out.strip()
    wait_until(lambda: sleepers(seconds), what="the job")
    signal_all(sleepers(seconds))
    plz.wait_for_state(execution, "finished")
    described = plz.json("describe", execution)
    assert described["exit_status"] == 137 and described["outcome"]["signal"] == 9


COPY = r"""
import json, os, shutil
paths = json.load(open(os.environ["CONFIGURATION_FILE"]))
print("copying", flush=True)
shutil.copytree(paths["input_directory"], paths["output_directory"], dirs_exist_ok=True)
open(paths["summary_measures_path"], "w").write("42")
print("copied", flush=True)
"""


@pytest.mark.parametrize("victim", ["plz-controller", "plz-worker"])
def test_what_serves_a_run_is_killed_at_any_moment(plz, victim):
    """While its input is captured, its trees are laid out, it runs, its output is stored, or its end is reported."""
    plz.write("job.py", COPY)
    for i in range(20):
        plz.write(f"data/file{i}", os.urandom(100_000))
    plz.configure(input="file://data")
    began = time.monotonic()
    plz.ok("run", "--", "python3", "job.py")
    usual = time.monotonic() - began
    rounds = 12
    for i in range(rounds):
        changing = os.urandom(3_000_000)
        plz.write("data/changing", changing)
        process = plz.popen("run", "--", "python3", "job.py")
        time.sleep(usual * i / rounds)
        plz.kill(victim)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0 and out == b"copying\ncopied\n", (i, out, err.decode())
        execution = plz.ok("last").out.strip()
        assert (plz.project / "output" / execution / "changing").read_bytes() == changing
        assert plz.json("measures", "--summary", execution) == 42
    history = plz.json("history")
    assert len(history) == rounds + 1 and all(execution["success"] for execution in history.values())


def test_the_command_line_is_killed_at_any_moment(plz):
    """Whatever moment it dies at, what follows is right, and what was submitted is known."""
    for i in range(200):
        plz.write(f"data/file{i}", f"content {i}\n" * 500)
    plz.configure(input="file://data")
    plz.ok("run", "--", "true")
    before = len(plz.json("history"))
    for i in range(12):
        plz.write("data/changing", os.urandom(300_000))
        process = plz.popen("run", "--", "true")
        time.sleep(0.004 * i)
        process.kill()
        process.wait()
    done = plz.ok("run", "--", "sh", "-c", 'cat "$(python3 -c \'import json,os;print(json.load(open(os.environ["CONFIGURATION_FILE"]))["input_directory"])\')"/file7')
    assert done.out == "content 7\n" * 500
    wait_until(lambda: all(e["state"] == "finished" for e in plz.json("history").values()), what="all to finish")
    assert before < len(plz.json("history")) <= before + 13


def test_twenty_shells_get_one_controller(plz):
    processes = [plz.popen("run", "--", "echo", str(i)) for i in range(20)]
    for i, process in enumerate(processes):
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err.decode()
        assert out.decode() == f"{i}\n"
    for program in ("plz-controller", "plz-worker"):
        plz.process(program)
    assert len(plz.json("history")) == 20


def test_two_runs_in_one_directory(plz):
    plz.write("code.txt", "code\n")
    processes = [plz.popen("run", "--", "cat", "code.txt") for _ in range(2)]
    for process in processes:
        out, err = process.communicate(timeout=120)
        assert (process.returncode, out) == (0, b"code\n"), err.decode()


def test_ctrl_c_leaves_the_job_running(plz, go):
    process = plz.popen("run", "--", "sh", "-c", "echo begun; " + waiting(go, "echo done"))
    assert process.stdout.readline() == b"begun\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert b"plz logs" in err
    go.touch()
    assert plz.ok("logs", "--since", "start").out == "begun\ndone\n"


def test_ctrl_c_at_any_moment(plz):
    """Either nothing was submitted, or it is said what goes on."""
    for i in range(100):
        plz.write(f"data/file{i}", f"content {i}\n" * 500)
    plz.configure(input="file://data")
    plz.ok("run", "--", "true")
    for i in range(12):
        plz.write("data/changing", os.urandom(300_000))
        before = set(plz.json("history"))
        process = plz.popen("run", "--", "sleep", "0.1")
        time.sleep(0.01 * i)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
        made = set(plz.json("history")) - before
        if process.returncode == -signal.SIGINT:
            # Before plz itself began, or after its end.
            done = err.endswith(b"Done and dusted.\n") and all(execution.encode() in err for execution in made)
            assert (not made and err == b"") or (len(made) == 1 and done), err.decode()
        elif process.returncode == 130:
            assert (b"nothing was submitted" in err) == (not made), err.decode()
            # "logs", or "output" where only that was still to come.
            assert all(re.search(f"plz (logs|output) {execution}", err.decode()) for execution in made), err.decode()
        else:
            assert process.returncode == 0 and len(made) == 1, err.decode()
    wait_until(lambda: all(e["state"] == "finished" for e in plz.json("history").values()), what="all to finish")


def test_a_job_that_fills_the_disk(plz):
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    plz.data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(plz.data)], check=True)
    try:
        done = plz("run", "--", "sh", "-c", "echo begun; head -c 100000000 /dev/urandom > /plz/output/large; "
                   "echo ended with $?; rm /plz/output/large; exit 7")
        assert done.status == 7, str(done)
        assert "No space left" in done.out and done.out.endswith("ended with 1\n"), str(done)
        assert plz.ok("run", "--", "echo", "again").out == "again\n"
    finally:
        plz.end()
        subprocess.run(["umount", "-l", str(plz.data)], check=True)


def test_full_disk(plz, go):
    """Store, database and log on a disk that is full: a clear error, and all goes on once there is room."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    plz.data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(plz.data)], check=True)
    try:
        plz.ok("run", "--", "echo", "first")
        ballast = plz.data / "ballast"
        fill_disk(ballast)
        plz.write("big", os.urandom(3 << 20))
        done = plz("run", "--", "echo", "second")
        assert done.status == 125, str(done)
        assert f"{plz.data} has " in done.err and " free of 24.0 MiB" in done.err, str(done)
        ballast.unlink()
        assert plz.ok("run", "--", "echo", "third").out == "third\n"
        # And in the middle of a log.
        (plz.project / "big").unlink()
        lines = "python3 -c \"for i in range(100000): print('x' * 49, i)\""
        process = plz.popen("run", "--", "sh", "-c", "echo begun; " + waiting(go, lines))
        assert process.stdout.readline() == b"begun\n"
        fill_disk(ballast)
        go.touch()
        timer = threading.Timer(4, ballast.unlink)
        timer.start()
        out, err = process.communicate(timeout=120)
        timer.join()
        assert out.decode().splitlines() == [f"{'x' * 49} {i}" for i in range(100_000)], err.decode()
        assert process.returncode == 0, err.decode()
    finally:
        plz.end()
        subprocess.run(["umount", "-l", str(plz.data)], check=True)


def test_a_controller_that_is_asked_to_shut_down_leaves_jobs_alone(plz, go):
    plz.write("job.py", COUNT)
    process = plz.popen("run", "--", "python3", "job.py")
    wait_until(lambda: plz.processes("plz-init"), what="the job")
    kill(plz, "plz-controller", signal.SIGTERM)
    go.touch()
    out, err = process.communicate(timeout=120)
    assert out.decode() == EXPECTED, err.decode()
    assert process.returncode == 0


def test_a_socket_that_was_removed_is_replaced(plz, go):
    execution = plz.ok("run", "-d", "--", "sh", "-c", waiting(go, "echo done")).out.strip()
    (socket,) = [path for path in plz.runtime.rglob("*") if path.is_socket()]
    socket.unlink()
    follower = plz.popen("logs", execution, "--since", "start")
    wait_until(socket.is_socket, what="another socket")
    go.touch()
    out, err = follower.communicate(timeout=120)
    assert (follower.returncode, out) == (0, b"done\n"), err.decode()
    plz.process("plz-controller")


class FakedClock:
    """A controller of our own in the place of the embedded one, whose clock (not the monotonic one) we set."""

    def __init__(self, plz):
        (library,) = pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
        self.plz, self.offset = plz, plz.root / "offset"
        self.env = {**plz.env, "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(self.offset),
                    "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        (self.socket,) = [path for path in plz.runtime.rglob("*.sock") if path.is_socket()]
        kill(plz, "plz-controller", signal.SIGTERM)
        # Its socket goes first; it holds the data directory until its end.
        wait_until(lambda: not plz.processes("plz-controller"), what="the earlier controller's end")
        self.set("+0")
        self.start()

    def set(self, offset):
        self.offset.write_text(offset)

    def start(self):
        said = self.plz.root / "controller.err"
        with said.open("wb") as err:
            self.process = subprocess.Popen([str(BIN / "plz-controller"), "--embedded", "--data-directory",
                                             str(self.plz.data), "--socket", str(self.socket)], env=self.env,
                                            stdout=subprocess.DEVNULL, stderr=err)
        wait_until(lambda: self.socket.exists() or self.process.poll() is not None,
                   what="a controller with a clock of its own")
        assert self.process.poll() is None, said.read_text()

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=120)


def test_the_clock_jumps_back_an_hour(plz, go):
    plz.write("job.py", COUNT)
    before = plz.ok("run", "--", "echo", "before").id
    clock = FakedClock(plz)
    during = plz.ok("run", "-d", "--", "python3", "job.py").out.strip()
    wait_until(lambda: outer_halves(plz), what="the job")
    clock.set("-3600")
    go.touch()
    assert plz.ok("logs", during, "--since", "start").out == EXPECTED
    after = plz.ok("run", "--", "echo", "after").id
    assert plz.ok("last").out.strip() == after
    clock.end()
    clock.start()
    last = plz.ok("run", "--", "echo", "last").id
    assert plz.ok("last").out.strip() == last
    history = plz.json("history")
    clock.end()
    assert list(history) == [last, after, during, before]
    assert history[last]["times"]["submitted"] < history[before]["times"]["submitted"]
    for execution in history.values():
        assert execution["success"]
        assert all(seconds >= 0 for seconds in execution["durations"].values())


def test_data_of_a_newer_plz_is_refused(plz):
    plz.data.mkdir()
    (plz.data / "format").write_text("999\n")
    done = plz("run", "--", "true")
    assert done.status == 125
    assert "newer plz" in done.err and "PLZ_DATA_DIR" in done.err


def bin_of_version(directory, version):
    """Our programs, of another version: of the real ones, with other digits where the version stands."""
    directory.mkdir()
    said = subprocess.run([str(BIN / "plz"), "--version"], stdout=subprocess.PIPE, check=True).stdout.decode().split()
    ours = next(word for word in said if word[0].isdigit())
    assert len(version) == len(ours) and version != ours
    for program in BIN.iterdir():
        content = program.read_bytes().replace(b"\0" + ours.encode() + b"\0", b"\0" + version.encode() + b"\0")
        (directory / program.name).write_bytes(content)
        (directory / program.name).chmod(0o755)
    for program in ("plz", "plz-controller", "plz-worker"):
        told = subprocess.run([str(directory / program), "--version"], stdout=subprocess.PIPE, check=True).stdout
        assert version in told.decode(), told
    return directory


def runs_from(pid):
    """The directory of a process's program."""
    try:
        return pathlib.Path(os.readlink(f"/proc/{pid}/exe")).parent
    except OSError:
        return None


def test_a_newer_plz_meets_an_older_running_controller(plz, go):
    plz.write("job.py", COUNT)
    older = {"PATH": f"{bin_of_version(plz.root / 'older', '0.0.9')}:{plz.env['PATH']}"}
    started = subprocess.run([str(plz.root / "older" / "plz"), "run", "-d", "--", "python3", "job.py"],
                             cwd=plz.project, env={**plz.env, **older}, stdout=subprocess.PIPE, check=True)
    execution = started.stdout.decode().strip()
    assert runs_from(plz.process("plz-controller")) == plz.root / "older"
    wait_until(lambda: outer_halves(plz), what="the job")

    # The job goes on; who follows its log sees every line once, and the controller is now the newer one.
    follower = plz.popen("logs", execution, "--since", "start")
    wait_until(lambda: runs_from(plz.process("plz-controller")) == BIN.resolve(), what="the newer controller")
    go.touch()
    out, err = follower.communicate(timeout=120)
    assert (follower.returncode, out.decode()) == (0, EXPECTED), err.decode()
    assert b"=> Handing over to a newer controller\n" in err
    newer = plz.process("plz-controller")
    assert runs_from(newer) == BIN.resolve()
    plz.wait_for_state(execution, "finished")
    assert plz.json("describe", execution)["success"] is True
    # The worker is, too.
    wait_until(lambda: runs_from(plz.process("plz-worker")) == BIN.resolve(), what="the newer worker")

    # The other way round nothing is handed over: the older plz says so, and works.
    back = subprocess.run([str(plz.root / "older" / "plz"), "run", "--", "echo", "older"], cwd=plz.project,
                          env={**plz.env, **older}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
    assert back.stdout == b"older\n"
    assert "** The controller is newer" in back.stderr.decode()
    assert plz.process("plz-controller") == newer
