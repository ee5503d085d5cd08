"""From an empty directory to a remembered result."""

import json
import re
import stat

from conftest import EXAMPLES


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
    assert done.err == expected
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
