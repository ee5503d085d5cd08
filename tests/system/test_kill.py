"""Ending instances, and what runs on them."""

import os
import signal
import subprocess

import pytest

from conftest import signal_all, wait_until


def instances(plz):
    return {i["instance_id"]: i for i in plz.json("list", "--json")["instances"]}


@pytest.fixture
def instance(plz):
    """The one that the embedded controller has; idle."""
    plz.ok("run", "--", "true")
    (one,) = instances(plz)
    return one


def run_and_wait(plz, **env):
    execution = plz.ok("run", "-d", "--", "sleep", "600", env=env).out.strip()
    plz.wait_for_state(execution, "running")
    return execution


def test_it_wants_yeah(plz, instance):
    for answer in (b"yes\n", b"", b"y\n"):
        done = plz("kill", "--all-of-them-plz", "--including-idle", stdin=answer)
        assert done.status == 1 and done.out == "" and "nothing was killed" in done.err, str(done)
    assert list(instances(plz)) == [instance]
    assert plz.processes("plz-worker")
    done = plz.ok("kill", "--all-of-them-plz", "--including-idle", stdin=b"yeah\n")
    assert "Type yeah to go on" in done.err and done.out == instance + "\n"
    assert plz.ok("run", "--", "echo", "after").out == "after\n"


def test_idle_instances_are_spared(plz, instance):
    done = plz("kill", "--all-of-them-plz", "--oh-yeah")
    assert done.status == 1 and done.out == "", str(done)
    assert f"** {instance} lives on: it is idle: --including-idle ends it, too" in done.err
    # One that is named is meant.
    assert plz.ok("kill", "-i", instance).out == instance + "\n"
    assert plz.ok("run", "--", "echo", "after").out == "after\n"


def test_what_runs_something_is_spared(plz, instance):
    execution = run_and_wait(plz)
    for words in (["--all-of-them-plz", "--oh-yeah"], ["--all-of-them-plz", "--including-idle", "--oh-yeah"],
                  ["-i", instance]):
        done = plz("kill", *words)
        assert done.status == 1 and done.out == "" and "--force-if-not-idle" in done.err, str(done)
    assert plz.state(execution) == "running"
    assert plz.ok("kill", "-i", instance, "--force-if-not-idle").out == instance + "\n"
    plz.wait_for_state(execution, "finished")
    assert plz.json("history")[execution]["success"] is False
    assert plz.ok("run", "--", "echo", "after").out == "after\n"


def test_what_runs_something_for_others_is_spared(plz, instance):
    theirs = run_and_wait(plz, PLZ_USER="bob")
    done = plz("kill", "--all-of-them-plz", "--oh-yeah", "--force-if-not-idle")
    assert done.status == 1 and done.out == "", str(done)
    assert "it is running an execution of bob: --berserk ends it all the same" in done.err
    assert plz.state(theirs) == "running"
    done = plz.ok("kill", "--all-of-them-plz", "--oh-yeah", "--force-if-not-idle", "--berserk")
    assert done.out == instance + "\n"
    plz.wait_for_state(theirs, "finished")
    assert plz.ok("run", "--", "echo", "after").out == "after\n"


def test_what_makes_no_sense_is_refused(plz):
    plz.ok("ping-backend")
    for words, said in ((["kill"], "nothing to kill"), (["kill", "--all-of-them-plz", "-i", "x"], ""),):
        done = plz(*words, stdin=b"yeah\n")
        assert done.status in (1, 2) and said in done.err, str(done)


def controller_restarts(plz):
    plz.ok("controller", "restart")


def both_are_killed(plz):
    signal_all(plz.processes("plz-controller") + plz.processes("plz-worker"))


@pytest.mark.parametrize("what_ends", [controller_restarts, both_are_killed])
def test_a_killed_instance_never_comes_back(plz, instance, what_ends):
    plz.ok("kill", "--all-of-them-plz", "--including-idle", "--oh-yeah")
    go = plz.home / "go"
    execution = plz.ok("run", "-d", "--", "sh", "-c", f"echo begun; while [ ! -e {go} ]; do sleep 0.05; done; echo done")
    execution = execution.out.strip()
    plz.wait_for_state(execution, "running")
    (now,) = instances(plz)
    assert now != instance
    what_ends(plz)
    plz.ok("ping-backend")
    wait_until(lambda: plz.processes("plz-worker"), what="the worker")
    go.touch()
    assert plz.ok("logs", execution, "--since", "start").out == "begun\ndone\n"
    plz.wait_for_state(execution, "finished")
    assert plz.json("describe", execution)["success"] is True
    assert list(instances(plz)) == [now]
    assert plz.ok("run", "--", "echo", "after").out == "after\n"


def test_what_is_killed_ends_though_its_worker_dies(plz, instance):
    execution = run_and_wait(plz)
    # The order cannot reach it.
    worker = plz.process("plz-worker")
    os.kill(worker, signal.SIGSTOP)
    assert plz.ok("kill", "-i", instance, "--force-if-not-idle").out == instance + "\n"
    os.kill(worker, signal.SIGKILL)
    assert plz.ok("run", "--", "echo", "after").out == "after\n"
    plz.wait_for_state(execution, "finished")
    assert plz.json("describe", execution)["outcome"]["kind"] == "stopped"
    assert instance not in instances(plz)


def test_what_is_queued_goes_to_the_next_instance(plz):
    plz.configure(resources={"cpus": len(os.sched_getaffinity(0))})
    plz.ok("run", "--", "true")
    for _ in range(2):
        (instance,) = instances(plz)
        running = run_and_wait(plz)
        queued = plz.ok("run", "-d", "--", "true").out.strip()
        assert plz.state(queued) == "queued"
        assert plz.ok("kill", "--all-of-them-plz", "--force-if-not-idle", "--oh-yeah").out == instance + "\n"
        for execution in (running, queued):
            plz.wait_for_state(execution, "finished")
        assert plz.json("describe", queued)["success"] is True


def test_force_ends_idle_ones_too(plz, instance):
    done = plz.ok("kill", "--all-of-them-plz", "--force-if-not-idle", "--oh-yeah")
    assert done.out == instance + "\n"
    assert instance not in instances(plz)


def test_everything_can_be_thrown_away(plz, instance):
    """As docs/getting-started.md says it, also where a captured directory cannot be written to."""
    plz.write("code/train.py", "print(1)\n")
    plz.ok("run", "--", "true")
    run_and_wait(plz)
    plz.ok("kill", "--all-of-them-plz", "--force-if-not-idle", "--oh-yeah")
    plz.ok("controller", "stop")
    subprocess.run(["chmod", "-R", "u+w", str(plz.data)], check=True)
    subprocess.run(["rm", "-rf", str(plz.data)], check=True)
    assert not plz.data.exists()
    assert plz.ok("run", "--", "echo", "anew").out == "anew\n"
