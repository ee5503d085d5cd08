"""Executions over ranges of indices."""

import json
import re

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
    assert again.status == 0


def test_stop_stops_all_parts(plz):
    plz.configure(command=["sleep", "600"], parallel_indices_range=[0, 6])
    done = plz.ok("run")
    whole = done.out.strip() or done.id
    plz.ok("stop", whole)
    plz.wait_for_state(whole, "finished")
    assert plz.json("history")[whole]["outcome"]["kind"] == "stopped"
