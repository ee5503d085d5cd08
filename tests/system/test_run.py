"""From an empty directory to a remembered result."""

import datetime
import json
import os
import pwd
import re
import shutil
import stat
import time

from conftest import EXAMPLES, wait_until


def test_a_command_in_an_empty_directory(plz):
    done = plz.ok("run", "--", "echo", "hello")
    assert done.out == "hello\n"
    assert plz.ok("last").out.strip() == done.id


def test_reads_as_the_design_says(plz):
    plz.write("job.py", """
import json, os
c = json.load(open(os.environ["CONFIGURATION_FILE"]))
print("epoch 1 loss 0.52")
os.mkdir(c["output_directory"] + "/models")
open(c["output_directory"] + "/models/net.pt", "w").write("weights")
json.dump({"accuracy": 0.91}, open(c["summary_measures_path"], "w"))
""")
    data = plz.root / "digits.bin"
    data.write_bytes(b"x" * 31245)
    plz.configure(command=["python3", "job.py"], input=f"file://{data}")
    done = plz.ok("run")
    assert done.out == "epoch 1 loss 0.52\n"
    expected = f"""=> Capturing the files in {plz.project}
=> Building the program snapshot
=> Capturing the input
=> 31245 input bytes to upload
=> Sending request to start execution
=> Execution ID is: {done.id}
=> Streaming logs...

=> Harvesting the output...
=> Retrieving summary of measures (if present)...
{{
  "accuracy": 0.91
}}
=> Execution succeeded.
=> Retrieving the output...
models
models/net.pt
=> Done and dusted.
"""
    assert "".join(line for line in done.err.splitlines(True) if not line.startswith("=> Waiting for ")) == expected
    assert (plz.project / "output" / done.id / "models" / "net.pt").read_text() == "weights"


def test_exit_statuses_are_the_jobs_own(plz):
    done = plz("run", "--", "sh", "-c", "exit 42")
    assert done.status == 42
    assert "!! Execution failed with an exit status of 42." in done.err
    assert plz("run", "--", "nosuchcommand").status == 127
    plz.write("plain", "not a program\n", 0o644)
    assert plz("run", "--", "./plain").status == 126
    assert plz("run", "--", "sh", "-c", "kill -TERM $$").status == 143
    assert plz("run", "--", "sh", "-c", "kill -KILL $$").status == 137


def test_what_a_job_sees(plz):
    plz.write("data/one.txt", "1\n")
    plz.configure(input="file://data", parameters={"lr": 0.5})
    plz.write("params.json", '{"lr": 0.25, "name": "é"}')
    plz.write("look.py", """
import json, os
c = json.load(open(os.environ["CONFIGURATION_FILE"]))
print(json.dumps({
  "keys": sorted(c), "cwd": os.getcwd(), "input": os.listdir(c["input_directory"]),
  "parameters": c["parameters"], "unbuffered": os.environ["PYTHONUNBUFFERED"],
  "plz": [k for k in os.environ if k.startswith("PLZ_")], "marker": os.environ.get("MARKER"),
  "tmp": os.listdir("/tmp"), "files": sorted(os.listdir("."))}))
open("look.py", "w").write("overwritten")
try:
  open(c["input_directory"] + "/two.txt", "w")
  print("writable input")
except OSError:
  pass
""")
    done = plz.ok("run", "-p", "params.json", "--", "python3", "look.py", env={"MARKER": "from the shell"})
    seen = json.loads(done.out)
    assert seen["keys"] == ["input_directory", "measures_directory", "output_directory", "parameters",
                            "summary_measures_path"]
    assert seen["cwd"] == "/src"
    assert seen["input"] == ["one.txt"]
    assert seen["parameters"] == {"lr": 0.25, "name": "é"}
    assert seen["unbuffered"] == "1"
    assert seen["plz"] == []
    assert seen["marker"] == "from the shell"
    # Private, but for what stays visible: the home and the project lie there in this test.
    visible = plz.root.relative_to("/tmp").parts[0]
    assert [name for name in seen["tmp"] if name != visible] == []
    assert "look.py" in seen["files"]
    assert (plz.project / "look.py").read_text() != "overwritten"


def test_output_is_kept_as_the_job_left_it(plz):
    plz.write("job.sh", """
out=$(python3 -c 'import json,os; print(json.load(open(os.environ["CONFIGURATION_FILE"]))["output_directory"])')
cd "$out"
mkdir -p empty nested/deep
echo text > nested/deep/file
chmod 750 nested
chmod 755 nested/deep/file
ln -s nested/deep/file link
ln -s /nowhere dangling
printf x > "$(printf 'new\\nline')"
""")
    done = plz.ok("run", "--", "sh", "job.sh")
    out = plz.project / "output" / done.id
    assert (out / "empty").is_dir()
    assert stat.S_IMODE((out / "nested").stat().st_mode) == 0o750
    assert stat.S_IMODE((out / "nested/deep/file").stat().st_mode) == 0o755
    assert (out / "link").is_symlink() and (out / "link").read_text() == "text\n"
    assert (out / "dangling").is_symlink()
    assert (out / "new\nline").read_text() == "x"


def test_measures(plz):
    plz.write("job.py", r"""
import json, os
c = json.load(open(os.environ["CONFIGURATION_FILE"]))
m = c["measures_directory"]
for epoch in range(3):
    os.makedirs(f"{m}/epoch/{epoch}", exist_ok=True)
    open(f"{m}/epoch/{epoch}/loss", "w").write(json.dumps(1.0 / (epoch + 1)))
open(m + "/nan", "w").write('{"a": NaN, "b": [Infinity, -Infinity]}')
open(m + "/binary", "wb").write(b"\xff\x00")
open(m + "/text", "w").write("not json")
json.dump({"accuracy": 0.125, "n": 12345678901234567890}, open(c["summary_measures_path"], "w"))
""")
    plz.ok("run", "--", "python3", "job.py")
    measures = plz.json("measures")
    assert measures["epoch"]["2"]["loss"] == 1 / 3
    assert measures["nan"] == {"a": "NaN", "b": ["Infinity", "-Infinity"]}
    assert measures["binary"] == {"base64_bytes": "/wA="}
    assert measures["text"] == {"base64_bytes": "bm90IGpzb24="}
    assert plz.ok("measures", "--summary").out == '{\n  "accuracy": 0.125,\n  "n": 12345678901234567890\n}\n'
    history = plz.json("history")
    (document,) = history.values()
    assert document["measures"]["summary"]["accuracy"] == 0.125


def test_history_status_and_list(plz):
    one = plz.ok("run", "--", "true").id
    two = plz("run", "--", "sh", "-c", "exit 3").id
    status = plz.ok("status", two).out
    assert re.search(r"^Running: False$", status, re.M)
    assert re.search(r"^Success: False$", status, re.M)
    assert re.search(r"^Exit Status: 3$", status, re.M)
    assert list(plz.json("history")) == [two, one]
    assert list(plz.json("history", "--limit", "1")) == [two]
    assert list(plz.json("history", "--where", "exit_status = 3")) == [two]
    assert list(plz.json("history", "--where", "success and exit_status < 1")) == [one]
    assert plz.json("list", "--json")["instances"][0]["state"] == "idle"
    described = plz.json("describe", one)
    assert described["execution_id"] == one and described["command"] == ["true"]


def test_logs_again_and_detached(plz):
    done = plz.ok("run", "-d", "--", "sh", "-c", "echo one; sleep 1; echo two")
    execution = done.out.strip()
    assert plz.ok("logs", execution, "--since", "start").out == "one\ntwo\n"
    assert plz.ok("logs", "--since", "start").out == "one\ntwo\n"
    plz.ok("output", "-o", "elsewhere", execution)


def test_output_by_path(plz):
    plz.write("job.py", """
import json, os
o = json.load(open(os.environ["CONFIGURATION_FILE"]))["output_directory"]
os.makedirs(o + "/models/deep")
open(o + "/models/net.pt", "w").write("weights")
open(o + "/models/deep/more", "w").write("more")
open(o + "/other", "w").write("other")
""")
    execution = plz.ok("run", "-d", "--", "python3", "job.py").out.strip()
    plz.wait_for_state(execution, "finished")

    def brought(*words):
        plz.ok("output", "-o", "out", *words, execution)
        files = {str(p.relative_to(plz.project / "out")): p.read_text()
                 for p in (plz.project / "out").rglob("*") if p.is_file()}
        shutil.rmtree(plz.project / "out")
        return files

    assert brought("--path", "models/net.pt") == {"models/net.pt": "weights"}
    assert brought("-p", "models/") == {"models/net.pt": "weights", "models/deep/more": "more"}
    assert brought() == {"models/net.pt": "weights", "models/deep/more": "more", "other": "other"}
    missing = plz("output", "-o", "out", "--path", "models/none", execution)
    assert missing.status == 1 and "the output has no models/none" in missing.err, missing
    assert not (plz.project / "out").exists()


def test_output_of_a_running_execution(plz):
    plz.write("job.py", """
import json, os, time
o = json.load(open(os.environ["CONFIGURATION_FILE"]))["output_directory"]
def wait_for(word):
    while not os.path.exists(os.environ["GO"] + word): time.sleep(0.1)
wait_for("begin")
open(o + "/so-far", "w").write("half")
wait_for("end")
open(o + "/so-far", "w").write("whole")
""")
    execution = plz.ok("run", "-d", "--", "python3", "job.py", env={"GO": f"{plz.home}/go-"}).out.strip()
    plz.wait_for_state(execution, "running")
    refused = plz("output", execution)
    assert refused.status == 1 and "has not finished" in refused.err and "--force-if-running" in refused.err, refused
    places = (plz.project / f"out-{i}" for i in range(1000))

    def written():
        place = next(places)
        plz.ok("output", "--force-if-running", "-o", place, execution)
        return {path.name: path.read_text() for path in place.iterdir()}

    assert written() == {}
    (plz.home / "go-begin").touch()
    wait_until(lambda: written() == {"so-far": "half"}, what="what it has written")
    assert plz.state(execution) == "running"
    (plz.home / "go-end").touch()
    plz.wait_for_state(execution, "finished")
    plz.ok("output", "-o", "out", execution)
    assert (plz.project / "out" / "so-far").read_text() == "whole"


def test_logs_since_a_time(plz):
    go = plz.root / "home" / "go"
    execution = plz.ok("run", "-d", "--", "sh", "-c", f"echo one; while [ ! -e {go} ]; do sleep 0.1; done; echo two"
                       ).out.strip()
    follower = plz.popen("logs", "--since", "start", execution)
    assert follower.stdout.readline() == b"one\n"
    time.sleep(2)  # times of logs are kept to the second
    now = time.time()
    go.touch()
    assert follower.communicate(timeout=120)[0] == b"two\n"
    in_words = datetime.datetime.fromtimestamp(now, datetime.timezone.utc).isoformat().replace("+00:00", "Z")
    for since in (f"{now:.3f}", str(int(now)), in_words):
        assert plz.ok("logs", "--since", since, execution).out == "two\n", since
    assert plz.ok("logs", f"--since={now - 3600:.0f}", execution).out == "one\ntwo\n"
    assert plz.ok("logs", "--since", f"{now + 3600:.0f}", execution).out == ""
    wrong = plz("logs", "--since", "yesterday", execution)
    assert wrong.status != 0 and "yesterday" in wrong.err, wrong


def test_logs_from_now_on_across_the_controllers_death(plz):
    """Not a byte is lost or comes twice."""
    plz.write("job.sh", """
i=0
while [ ! -e "$GO" ]; do
    i=$((i + 1))
    echo line $i
    sleep 0.01
done
""")
    go = plz.home / "go"
    execution = plz.ok("run", "-d", "--", "sh", "job.sh", env={"GO": str(go)}).out.strip()
    plz.wait_for_state(execution, "running")
    time.sleep(2)  # so that now is not the start
    shown = plz.root / "shown"
    with shown.open("wb") as file:
        follower = plz.popen("logs", "--since", "now", execution, stdout=file)
    for _ in range(2):
        lines = len(shown.read_bytes().splitlines())
        wait_until(lambda: len(shown.read_bytes().splitlines()) > lines + 20, what="more of the log")
        plz.kill("plz-controller")
    lines = len(shown.read_bytes().splitlines())
    wait_until(lambda: len(shown.read_bytes().splitlines()) > lines + 20, what="more of the log")
    go.touch()
    assert follower.wait(120) == 0
    log = plz.ok("logs", "--since", "start", execution).out_bytes
    assert log.endswith(b"\n" + shown.read_bytes()), (log[-3000:], shown.read_bytes()[-3000:])


def test_list_context(plz):
    for name in ("job.py", "data/one", "data/two", "nested/keep"):
        plz.write(name, "x")
    plz.configure(excluded_paths=["data", "nested/*"], included_paths=["nested/keep"])
    assert plz.ok("list-context").out.splitlines() == ["job.py", "nested/keep", "plz.config.json"]
    assert plz.ok("list-context", "-e").out == "data/\n"
    assert plz.json("list-context", "--excluded", "--json") == ["data/"]


def test_list_of_all_users(plz):
    theirs = plz.ok("run", "-d", "--", "sleep", "600", env={"PLZ_USER": "bob", "PLZ_PROJECT": "secret"}).out.strip()
    mine = plz.ok("run", "-d", "--", "sleep", "600").out.strip()

    def listed(*words):
        return {e["execution_id"]: (e["user"], e["project"]) for e in plz.json("list", "--json", *words)["executions"]}

    me = pwd.getpwuid(os.geteuid()).pw_name
    assert listed() == {mine: (me, "project")}
    assert listed("-a") == listed("--all-users") == {mine: (me, "project"), theirs: ("bob", "secret")}
    assert "bob" not in plz.ok("list").out.split("INSTANCE")[0]
    assert re.search(rf"^{theirs} +bob +secret ", plz.ok("list", "-a").out, re.M)
    for execution in (theirs, mine):
        plz.ok("stop", execution)


def test_stop(plz):
    execution = plz.ok("run", "-d", "--", "sleep", "600").out.strip()
    plz.wait_for_state(execution, "running")
    plz.ok("stop", execution)
    plz.wait_for_state(execution, "finished")
    assert plz.json("describe", execution)["outcome"]["kind"] == "stopped"


def test_input_of_an_earlier_output(plz):
    first = plz.ok("run", "--", "sh", "-c", "echo made > $(python3 -c 'import json,os; print(json.load(open(os.environ[\"CONFIGURATION_FILE\"]))[\"output_directory\"])')/file").id
    plz.configure(input=f"output://{first}")
    done = plz.ok("run", "--", "sh", "-c", "cat $(python3 -c 'import json,os; print(json.load(open(os.environ[\"CONFIGURATION_FILE\"]))[\"input_directory\"])')/file")
    assert done.out == "made\n"


def test_rerun_when_the_directory_is_gone(plz):
    plz.write("code.txt", "original\n")
    first = plz.ok("run", "--", "cat", "code.txt").id
    plz.write("code.txt", "changed\n")
    done = plz.ok("rerun", first)
    assert done.out == "original\n"
    assert plz.json("describe")["previous_execution_id"] == first


def test_the_small_example(plz):
    done = plz.ok("run", cwd=str(copy_example(plz, "hello")))
    assert "Execution succeeded" in done.err
    assert plz.json("measures", "--summary", cwd=str(plz.root / "hello"))


def copy_example(plz, name):
    import shutil
    target = plz.root / name
    shutil.copytree(EXAMPLES / name, target)
    return target
