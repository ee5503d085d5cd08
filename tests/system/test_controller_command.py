"""`plz controller`: the private controller is seen, ended and started again, and jobs go on meanwhile."""

import json
import os
import pathlib
import signal

import pytest

from conftest import signal_all, wait_until


@pytest.fixture
def go(plz):
    plz.env["GO"] = str(plz.home / "go")
    return plz.home / "go"



@pytest.fixture
def job(plz, go):
    """One that runs until go is there, and one that waits for its processors."""
    plz.write("job.py", """
import json, os, time
print("begun", flush=True)
while not os.path.exists(os.environ["GO"]):
    time.sleep(0.02)
open(json.load(open(os.environ["CONFIGURATION_FILE"]))["output_directory"] + "/file", "w").write("kept")
print("done")
""")
    plz.configure(resources={"cpus": os.cpu_count()})
    running = plz.ok("run", "-d", "--", "python3", "job.py").out.strip()
    waiting = plz.ok("run", "-d", "--", "true").out.strip()
    plz.wait_for_state(running, "running")
    return running, waiting


def status(plz, expect=0, **kwargs):
    done = plz("controller", "status", "--json", **kwargs)
    assert done.status == expect, str(done)
    return json.loads(done.out)


def test_status(plz, job, go):
    running, waiting = job
    state = status(plz)
    assert state["running"] and state["pid"] == plz.process("plz-controller"), state
    assert state["data_directory"] == str(plz.data) and state["version"], state
    assert os.path.exists(state["socket"]) and state["started"][:2] == "20", state
    assert [e["execution_id"] for e in state["running_executions"]] == [running]
    assert [e["execution_id"] for e in state["waiting_executions"]] == [waiting]
    text = plz.ok("controller", "status").out
    for words in ("Running: True\n", f"Process: {state['pid']}\n", f"Socket: {state['socket']}\n",
                  f"Data Directory: {plz.data}\n", "Running Executions: 1\n", f"  {running}  project, running\n",
                  "Waiting Executions: 1\n", f"  {waiting}  project, queued; waits for "):
        assert words in text, text
    go.touch()
    plz.wait_for_state(waiting, "finished")


def test_stop_leaves_the_jobs_and_the_next_command_takes_them_up(plz, job, go):
    running, waiting = job
    pid, worker = plz.process("plz-controller"), plz.process("plz-worker")
    done = plz.ok("controller", "stop")
    assert f"process {pid}" in done.err and "1 execution goes on meanwhile" in done.err, done
    assert "1 execution waits for the next controller" in done.err, done
    assert plz.processes("plz-controller") == plz.processes("plz-worker") == [] and worker
    # Nothing is started by a look, and stopping once more is no failure.
    state = status(plz, expect=1)
    assert state == {"running": False, "data_directory": str(plz.data), "log": str(plz.data / "controller.log"),
                     "running_executions": [], "waiting_executions": []}
    assert plz("controller", "status").out.startswith("Running: False\n")
    assert "No controller was running" in plz.ok("controller", "stop").err
    assert plz.processes("plz-controller") == []
    # The job ends while nobody is there.
    go.touch()
    wait_until(lambda: not plz.processes("plz-init"), what="the job to end without a controller")
    assert plz.ok("logs", running).out == "begun\ndone\n"
    plz.wait_for_state(waiting, "finished")
    plz.ok("output", running, "-o", "out")
    assert (plz.project / "out" / "file").read_text() == "kept"
    assert plz.json("history", "--all")[running]["attempts"] == 1


def variables(pid):
    return pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")


def test_restart(plz, job, go):
    """The new one has this shell's environment, and takes up what ran."""
    running, waiting = job
    before, worker = plz.process("plz-controller"), plz.process("plz-worker")
    done = plz.ok("controller", "restart", env={"DOCKER_HOST": "unix:///nowhere/docker.sock"})
    after = plz.process("plz-controller")
    assert before != after and f"process {after}" in done.err and "1 execution goes on meanwhile" in done.err, done
    assert b"DOCKER_HOST=unix:///nowhere/docker.sock" in variables(after)
    wait_until(lambda: plz.processes("plz-worker") not in ([], [worker]), what="another worker")
    assert b"DOCKER_HOST=unix:///nowhere/docker.sock" in variables(plz.process("plz-worker"))
    go.touch()
    assert plz.ok("logs", running).out == "begun\ndone\n"
    plz.wait_for_state(waiting, "finished")
    document = plz.json("history", "--all")[running]
    assert document["success"] and document["attempts"] == 1, document


def test_restart_starts_one_where_none_runs(plz):
    state = plz.json("controller", "restart", "--json")
    assert state["running"] and state["ended_pid"] is None and state["pid"] == plz.process("plz-controller"), state
    stopped = plz.json("controller", "stop", "--json")
    assert stopped["ended_pid"] == state["pid"] and not stopped["running"], stopped


def test_a_worker_that_was_left_behind_is_ended(plz):
    plz.ok("run", "--", "true")
    plz.process("plz-worker")
    plz.kill("plz-controller")
    plz.ok("controller", "stop")
    assert plz.processes("plz-worker") == []


def test_one_that_does_not_answer(plz):
    """Stopped in its tracks, it does not heed SIGTERM either: the words say what does."""
    plz.ok("run", "--", "true")
    pid = plz.process("plz-controller")
    os.kill(pid, signal.SIGSTOP)
    try:
        done = plz("-t", "0.3", "controller", "stop")
        assert done.status == 1 and f"process {pid}" in done.err and f"kill -9 {pid}" in done.err, done
    finally:
        signal_all([pid], signal.SIGCONT)
    wait_until(lambda: not plz.processes("plz-controller"), what="the controller to heed the signal")


def test_wrong_words(plz):
    for words in ((), ("pause",), ("stop", "status")):
        assert plz("controller", *words).status == 2, words
    plz.configure(host="plz.invalid")
    for action in ("restart", "stop", "status"):
        done = plz("controller", action)
        assert done.status == 1 and "plz.invalid" in done.err and "host" in done.err, done
    assert plz.processes("plz-controller") == []
