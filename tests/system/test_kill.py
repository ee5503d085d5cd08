"""Ending instances, and what runs on them."""

import pytest


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
