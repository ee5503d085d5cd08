"""plz gc and plz delete: what is needed stays, what is not leaves the disk, whatever dies or runs meanwhile."""

import filecmp
import os
import threading
import time

import pytest

from test_api import UnixConnection

JOB = """
import json, os, sys
c = json.load(open(os.environ["CONFIGURATION_FILE"]))
seed = sys.argv[1]
for name in ("a", "b/c"):
    path = os.path.join(c["output_directory"], name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "w").write((seed + name) * 1000)
open(os.path.join(c["output_directory"], "large"), "wb").write(b"".join(
    (seed + str(i)).encode().ljust(64, b".") for i in range(100_000)))
open(os.path.join(c["measures_directory"], "summary"), "w").write(json.dumps(seed))
print("printed", seed)
"""


def store_bytes(plz):
    """Of all packs; one that vanishes on the way counts nothing."""
    total = 0
    for path in (plz.data / "store" / "packs").rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            pass
    return total


def run(plz, seed):
    done = plz.ok("run", "--", "python3", "job.py", seed)
    return done.id


def check_outputs(plz, seeds, again):
    """Fetches each output anew, and compares it with what the run brought home."""
    for execution in seeds:
        target = f"again-{again}/{execution}"
        plz.ok("output", execution, "-o", target)
        for name in ("a", "b/c", "large"):
            assert filecmp.cmp(plz.project / "output" / execution / name, plz.project / target / name, shallow=False)


@pytest.fixture
def project(plz):
    plz.write("job.py", JOB)
    plz.write("data/input", os.urandom(3_000_000))
    plz.configure(input="file://data", user="ada", excluded_paths=["again-*"])
    # Nothing here runs in containers, and the environments on the machine's own engine are somebody else's.
    plz.env["DOCKER_HOST"] = f"unix://{plz.root}/no-engine"
    return plz


def test_nothing_that_is_needed_is_freed(project):
    plz = project
    seeds = {run(plz, seed): seed for seed in ("one", "two")}
    before = store_bytes(plz)
    report = plz.json("gc", "--json")
    # What a run sends twice, or a capture that was not submitted: nothing of the kind happened here.
    assert report["blobs"] == 0 and report["error"] == "" and report["held_up"] == ""
    assert before - store_bytes(plz) == report["bytes"]
    check_outputs(plz, seeds, 1)


def test_delete_then_gc_frees_exactly_what_the_dry_run_said(project):
    plz = project
    kept = run(plz, "kept")
    plz.write("only-here", os.urandom(500_000))
    dropped = run(plz, "dropped")
    (plz.project / "only-here").unlink()
    deleted = plz.ok("delete", "--yes", dropped)
    assert deleted.out == dropped + "\n"
    before = store_bytes(plz)
    foreseen = plz.json("gc", "--dry-run", "--json")
    assert store_bytes(plz) == before
    assert f"({foreseen['bytes']} bytes)" in deleted.err
    assert foreseen["dry_run"] and foreseen["bytes"] > 500_000
    human = plz.ok("gc", "--dry-run").out
    assert human.startswith(f"Store: {foreseen['blobs']} blobs, ") and f"({foreseen['bytes']} bytes)" in human
    done = plz.json("gc", "--json")
    assert before - store_bytes(plz) == done["bytes"] == foreseen["bytes"]
    assert done["blobs"] == foreseen["blobs"]
    assert plz.json("gc", "--json")["bytes"] == 0

    assert plz.ok("last").out.strip() == kept
    assert list(plz.json("history")) == [kept]
    assert plz("logs", dropped, "--since", "start").status == 1
    assert dropped not in plz.ok("__complete", "ids").out
    assert plz("delete", "--yes", dropped).status == 1
    check_outputs(plz, [kept], 1)
    plz.ok("logs", kept, "--since", "start")
    again = plz.ok("rerun", kept)
    assert "printed kept" in again.out
    # The code that only the deleted one had can be captured anew.
    plz.write("only-here", os.urandom(500_000))
    check_outputs(plz, [run(plz, "dropped")], 2)


def test_a_rerun_outlives_what_it_repeated(project):
    plz = project
    first = run(plz, "x")
    second = plz.ok("rerun", first).id
    plz.ok("delete", "--yes", first)
    plz.ok("gc")
    assert plz.json("describe", second)["previous_execution_id"] == first
    third = plz.ok("rerun", second)
    assert "printed x" in third.out
    assert plz.ok("verify", second).status == 0


def test_what_may_not_be_deleted(project):
    plz = project
    running = plz.ok("run", "--detach", "--", "sleep", "600").out.strip()
    refused = plz("delete", "--yes", running)
    assert refused.status == 1 and f"plz stop {running}" in refused.err
    plz.ok("stop", running)
    plz.wait_for_state(running, "finished")
    others = plz("delete", "--yes", running, env={"PLZ_USER": "bob"})
    assert others.status == 1 and "--all-users" in others.err
    plz.ok("delete", "--yes", "--all-users", running, env={"PLZ_USER": "bob"})
    plz.configure(user="ada", parallel_indices_range=[0, 2])
    whole = plz.ok("run", "--", "sh", "-c", "echo printed").out.strip()
    plz.wait_for_state(whole, "finished")
    part = plz.json("describe", "--json", whole)["parts"][0]["execution_id"]
    refused = plz("delete", "--yes", part)
    assert refused.status == 1 and f"plz delete {whole}" in refused.err
    plz.ok("delete", "--yes", whole)
    assert plz("status", part).status == 1
    assert list(plz.json("history")) == []
    assert not list((plz.data / "logs").rglob("*.log"))
    freed = store_bytes(plz)
    assert plz.json("gc", "--json")["bytes"] == freed
    assert store_bytes(plz) == 0


def test_a_capture_under_way_holds_it_up(project):
    plz = project
    run(plz, "x")
    plz.ok("delete", "--yes", plz.ok("last").out.strip())
    lease = "019aab9e-3c6f-7d52-9d0f-0a4f2f1f7c11"
    (socket,) = plz.runtime.rglob("*.sock")
    def request(method):
        connection = UnixConnection(socket)
        connection.request(method, f"/v1/leases/{lease}" + ("?seconds=600" if method == "PUT" else ""))
        assert connection.getresponse().status == 204
        connection.close()
    request("PUT")
    before = store_bytes(plz)
    held = plz("gc")
    assert held.status == 1 and "captures are under way" in held.err and "try again" in held.err
    assert store_bytes(plz) == before
    request("DELETE")
    plz.ok("gc")
    assert store_bytes(plz) == 0


def test_killing_the_controller_during_gc_loses_nothing(project):
    plz = project
    kept = {}
    for turn in range(4):
        kept[run(plz, f"kept{turn}")] = True
        dropped = run(plz, f"dropped{turn}")
        plz.ok("delete", "--yes", dropped)
        collecting = plz.popen("gc")
        time.sleep(0.006 * turn)  # another moment each time: which one does not matter
        plz.kill("plz-controller")
        collecting.communicate(timeout=120)
        check_outputs(plz, kept, turn)
    plz.ok("gc")
    check_outputs(plz, kept, "end")
    assert plz.json("gc", "--json")["bytes"] == 0


def test_gc_while_runs_go_on(project):
    plz = project
    over = threading.Event()
    reports = []

    def collect():
        while not over.is_set():
            reports.append(plz("gc", "--json", "--caches"))

    collector = threading.Thread(target=collect)
    collector.start()
    kept = []
    try:
        for turn in range(6):
            plz.write("code.txt", f"{turn % 3}" * 100_000)
            kept.append(run(plz, f"seed{turn}"))
            if turn % 2:
                plz.ok("delete", "--yes", kept.pop(0))
    finally:
        over.set()
        collector.join(300)
    assert reports and all(report.status in (0, 1) for report in reports)
    assert not [report for report in reports if "!!" in report.err], reports
    plz.ok("gc")
    check_outputs(plz, kept, "end")
    for execution in kept:
        plz.ok("rerun", execution, "-o", f"again-rerun/{execution}")
        assert filecmp.cmp(plz.project / "output" / execution / "large",
                           plz.project / f"again-rerun/{execution}" / "large", shallow=False)
