"""What a job runs in: the sandbox, or a plain process where that is asked for, or where the machine's owner leaves no other."""

import errno
import functools
import json
import os
import re

import pytest

from conftest import wait_until
from forbidding import forbid_user_namespaces

LOOK = """import json, os
c = json.load(open(os.environ['CONFIGURATION_FILE']))
open(c['output_directory'] + '/out', 'w').write(open('look.py').readline())
json.dump(1, open(c['summary_measures_path'], 'w'))
print(os.getcwd(), os.readlink('/proc/self/ns/mnt'))
"""
IS_ROOT = os.geteuid() == 0


@pytest.fixture
def look(plz):
    plz.write("look.py", LOOK)
    plz.configure(command=["python3", "look.py"])
    return plz


def is_unboxed(plz, done):
    directory, namespace = done.out.split()
    if namespace != os.readlink("/proc/self/ns/mnt"): return False
    assert directory.startswith(f"{plz.data}/worker/attempts/"), str(done)
    return True


@pytest.mark.skipif(IS_ROOT, reason="root's are refused")
def test_where_the_sandbox_is_refused_jobs_run_unboxed_and_that_is_said(look):
    done = look.ok("run", preexec_fn=forbid_user_namespaces)
    assert is_unboxed(look, done), str(done)
    warning = re.search(r"^\*\* the job was not boxed: (.*)$", done.err, re.M)
    assert warning and "user namespaces" in warning.group(1), str(done)
    assert (look.project / "output" / done.id / "out").read_text().startswith("import json")
    assert "not boxed" in look.json("describe")["outcome"]["reason"]
    assert look("run", "--", "sh", "-c", "exit 3", preexec_fn=forbid_user_namespaces).status == 3
    (instance,) = look.json("list", "--json")["instances"]
    available = {r["name"]: r["available"] for r in instance["runtimes"]}
    assert (available["sandbox"], available["process"]) == (False, True)
    # Whoever must have it.
    done = look("run", "--runtime", "sandbox")
    assert done.status == 125 and "sandbox: no sandbox can be made" in done.err and "process:" not in done.err, str(done)


@pytest.mark.skipif(not IS_ROOT, reason="only root's are refused")
def test_roots_jobs_are_unboxed_only_if_asked_for(look):
    done = look("run", preexec_fn=forbid_user_namespaces)
    assert done.status == 125 and not done.out, str(done)
    assert "no sandbox can be made" in done.err and "PLZ_RUNTIME=process" in done.err, str(done)
    assert look.json("describe")["outcome"]["kind"] == "could_not_start"
    done = look.ok("run", "--runtime", "process")
    assert is_unboxed(look, done) and "**" not in done.err, str(done)


def test_a_plain_process_is_had_by_the_key(look):
    boxed = look.ok("run")
    assert not is_unboxed(look, boxed), str(boxed)
    assert is_unboxed(look, look.ok("run", env={"PLZ_RUNTIME": "process"}))
    assert is_unboxed(look, look.ok("run", "--runtime", "process"))
    look.configure(command=["python3", "look.py"], runtime="process")
    done = look.ok("run")
    assert is_unboxed(look, done) and "boxed" not in done.err, str(done)
    assert look.json("describe", done.id)["runtime"] == "process"
    assert look.json("history")[done.id]["runtime"] == "process"
    assert not is_unboxed(look, look.ok("run", "--runtime", "sandbox"))
    # As it was asked for then; or otherwise now.
    look.configure(command=["python3", "look.py"])
    assert is_unboxed(look, look.ok("rerun", done.id))
    assert not is_unboxed(look, look.ok("rerun", "--runtime", "sandbox", done.id))
    assert not is_unboxed(look, look.ok("rerun", boxed.id))


def test_what_is_no_runtime_is_refused(look):
    look.configure(command=["python3", "look.py"], runtime="box")
    refused = look("run")
    assert refused.status == 125 and '"sandbox"' in refused.err and "runtime" in refused.err, str(refused)
    look.configure(command=["python3", "look.py"], runtime="process", image="debian:12")
    refused = look("run")
    assert refused.status == 125 and "cannot stand beside an image" in refused.err, str(refused)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.ENOMEM, errno.EAGAIN])
def test_a_job_waits_for_what_the_machine_lacks_and_says_so(plz, error):
    """It runs in the sandbox once that can be made: a worker that has what this one lacks takes it up."""
    lacking = functools.partial(forbid_user_namespaces, error)
    execution = plz.ok("run", "-d", "--", "readlink", "/proc/self/ns/mnt", preexec_fn=lacking).out.strip()
    wait_until(lambda: "Waiting For: its machine: " in plz("status", execution).out, what="words of what it waits for")
    shown = plz.ok("status", execution).out
    assert os.strerror(error) in shown and "tried again" in shown and "Phase: starting" in shown, shown
    assert os.strerror(error) in json.dumps(plz.json("list", "--json")["executions"])
    plz.ok("controller", "stop")
    for pid in plz.processes("plz-worker"): os.kill(pid, 9)
    done = plz.ok("logs", execution)
    assert done.out.strip() != os.readlink("/proc/self/ns/mnt"), str(done)
    plz.wait_for_state(execution, "finished")
    assert "Waiting" not in plz.ok("status", execution).out
    assert plz.json("describe", execution)["outcome"]["kind"] == "succeeded"


def test_a_run_says_what_it_waits_for_and_can_be_stopped(plz):
    lacking = functools.partial(forbid_user_namespaces, errno.ENOSPC)
    with open(plz.root / "said", "w") as said:
        run = plz.popen("run", "--", "echo", "the job ran", stdout=said, stderr=said, preexec_fn=lacking)
    wait_until(lambda: "=> Waiting for its machine: " in (plz.root / "said").read_text(), what="words")
    plz.ok("stop", plz.ok("last").out.strip())
    assert run.wait(timeout=120) != 0
    text = (plz.root / "said").read_text()
    assert "the job ran" not in text and os.strerror(errno.ENOSPC) in text, text
