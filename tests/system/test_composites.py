"""Executions over ranges of indices."""

import http.client
import json
import re
import socket

JOB = """
import json, os, sys
c = json.load(open(os.environ["CONFIGURATION_FILE"]))
first, last = c["indices"]["range"]
for i in range(first, last):
    print(f"index {i} says hello", flush=True)
    open(c["index_to_output_directory"][str(i)] + "/square", "w").write(str(i * i))
    open(c["index_to_measures_directory"][str(i)] + "/cube", "w").write(str(i ** 3))
    json.dump({"index": i}, open(c["index_to_summary_measures_path"][str(i)], "w"))
assert "output_directory" not in c
sys.exit(3 if os.path.exists("fail") and first <= 3 < last else 0)
"""


def submit(plz, **settings):
    plz.write("job.py", JOB)
    plz.configure(command=["python3", "job.py"], parallel_indices_range=[0, 5], indices_per_execution=2,
                  resources={"cpus": 0.5}, **settings)
    done = plz.ok("run")
    return done.out.strip() or done.id


def test_a_composite_runs_all_its_indices(plz):
    whole = submit(plz)
    lines = plz.ok("logs", whole, "--since", "start").out.splitlines()
    assert sorted(lines) == [f"index {i} says hello" for i in range(5)]
    plz.wait_for_state(whole, "finished")
    plz.ok("output", "-o", "out", whole)
    for i in range(5):
        (found,) = (plz.project / "out").rglob(f"*{i}/square")
        assert found.read_text() == str(i * i)
    assert sorted(p.name for p in (plz.project / "out").iterdir())[0].startswith("parallel-")
    for command in ("measures", "status", "describe"):
        out = plz.ok(command, whole).out
        assert all(re.match(r"parallel-\d+#", line) for line in out.splitlines()), out
    assert '"cube": 64' in plz.ok("measures", whole).out
    assert list(plz.json("history")) == [whole]


def test_a_failed_part_is_told_and_can_be_run_again(plz):
    plz.write("fail", "")
    whole = submit(plz)
    plz.wait_for_state(whole, "finished")
    described = json.loads(plz.ok("history").out)[whole]
    assert described["success"] is False and described["exit_status"] == 3
    again = plz.ok("rerun", "--failed-only", whole)
    assert "=> Indices 2 to 3\n" in again.err and "differs" not in again.err, again
    assert part_indices(plz, again.out.strip()) == [[2, 4]]
    assert plz.json("describe", "--json", again.out.strip())["previous_execution_id"] == whole
    differing = plz.ok("rerun", "--failed-only", whole, env={"CUDA_VISIBLE_DEVICES": "0"})
    assert differing.err.count(f"** The environment differs from that of {whole}:\n") == 1, differing
    assert '  environment.CUDA_VISIBLE_DEVICES: nothing before, 0 now\n' in differing.err


def test_a_part_is_verified_against_a_part(plz):
    whole = submit(plz)
    plz.wait_for_state(whole, "finished")
    part = plz.json("status", "--json", whole)["parts"][1]["execution_id"]
    verified = plz.ok("verify", part)
    assert verified.out == "Repeatable: True\n", str(verified)
    again = plz.ok("rerun", part).out.strip()
    plz.wait_for_state(again, "finished")
    assert plz.ok("diff", part, again).out == plz.ok("diff", again, part).out == ""


def test_failed_parts_that_are_no_neighbours(plz):
    plz.configure(parallel_indices_range=[0, 5], resources={"cpus": 0.5}, command=["python3", "-c", """
import json, os, sys
sys.exit(json.load(open(os.environ["CONFIGURATION_FILE"]))["indices"]["range"][0] % 2 == 0)
"""])
    whole = plz.ok("run").out.strip()
    plz.wait_for_state(whole, "finished")
    again = plz.ok("rerun", "--failed-only", whole)
    assert [part_indices(plz, id) for id in again.out.split()] == [[[0, 1]], [[2, 3]], [[4, 5]]], again


def part_indices(plz, whole):
    plz.wait_for_state(whole, "finished")
    return [part["indices"]["range"] for part in plz.json("status", "--json", whole)["parts"]]


def test_a_composite_is_run_again_as_one(plz):
    whole = submit(plz)
    plz.wait_for_state(whole, "finished")
    again = plz.ok("rerun", whole).out.strip()
    assert again != whole
    assert part_indices(plz, again) == [[0, 2], [2, 4], [4, 5]]
    plz.ok("output", "-o", "out", again)
    squares = {p.name: (p / "square").read_text() for p in (plz.project / "out").iterdir()}
    assert squares == {f"parallel-{i}": str(i * i) for i in range(5)}
    # A part alone: its own indices.
    part = plz.json("status", "--json", whole)["parts"][1]["execution_id"]
    assert part_indices(plz, plz.ok("rerun", part).out.strip()) == [[2, 4]]


def test_outputs_that_are_there_are_left_alone_or_rewritten(plz):
    whole = submit(plz)
    plz.wait_for_state(whole, "finished")
    plz.ok("output", "-o", "out", whole)
    square = plz.project / "out" / "parallel-3" / "square"
    square.write_text("mine")
    (square.parent / "added").write_text("mine, too")
    done = plz.ok("output", "-o", "out", whole)
    assert "=> parallel-3 is there already\n" in done.err and square.read_text() == "mine", str(done)
    plz.ok("output", "-o", "out", "--rewrite-subexecutions", whole)
    assert square.read_text() == "9" and [p.name for p in square.parent.iterdir()] == ["square"]


def test_stop_stops_all_parts(plz):
    plz.configure(command=["sleep", "600"], parallel_indices_range=[0, 6])
    done = plz.ok("run")
    whole = done.out.strip() or done.id
    plz.ok("stop", whole)
    plz.wait_for_state(whole, "finished")
    assert plz.json("history")[whole]["outcome"]["kind"] == "stopped"


MANY = 20_000


def parts_of(plz, whole):
    """What the controller says of all parts, in one answer."""
    (path,) = plz.runtime.rglob("*.sock")
    connection = http.client.HTTPConnection("plz.invalid", timeout=300)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(path))
    connection.request("GET", f"/v1/executions/{whole}/parts?brief=1")
    answer = connection.getresponse()
    assert answer.status == 200
    parts = json.loads(answer.read())["executions"]
    connection.close()
    return parts


def test_many_parts_are_queued_found_again_and_stopped(plz):
    plz.write("job.sh", "echo runs; exec sleep 600")
    plz.configure(command=["sh", "job.sh"], parallel_indices_range=[0, MANY])
    whole = plz.ok("run").out.strip()
    plz.wait_for_state(whole, "running")
    parts = parts_of(plz, whole)
    assert [part["indices"]["range"] for part in parts] == [[i, i + 1] for i in range(MANY)]
    assert parts[0]["state"] == "running" or parts[0]["attempts"] == 1
    assert re.fullmatch(r"1 processor, of which 0 are free; \d+ older executions? (is|are) before it", parts[-1]["waiting_for"])
    # The next controller has them all.
    plz.kill("plz-controller")
    assert [part["execution_id"] for part in parts_of_next(plz, whole)] == [part["execution_id"] for part in parts]
    plz.ok("stop", whole)
    plz.wait_for_state(whole, "finished")
    parts = parts_of(plz, whole)
    assert len(parts) == MANY and {part["state"] for part in parts} == {"finished"}
    assert {part["outcome"]["kind"] for part in parts} == {"stopped"}
    shown = plz.json("history")[whole]
    assert shown["outcome"] == {"kind": "stopped", "exit_status": 143, "signal": None, "out_of_memory": False,
                                "reason": f"{MANY} of {MANY} parts did not succeed"}, shown["outcome"]
    # Those that ran have their logs.
    assert set(plz.ok("logs", whole, "--since", "start").out.splitlines()) == {"runs"}
    plz.ok("delete", whole)
    assert plz.json("history") == {}


def parts_of_next(plz, whole):
    plz.ok("list")
    return parts_of(plz, whole)
