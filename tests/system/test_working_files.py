"""What a job writes into its working directory: told of when it is gone, kept where outputs say so."""

import json
import os

import pytest

from conftest import wait_until

# As Hydra, Lightning and Ultralytics do.
JOB = """
import json, os, pathlib, sys
c = json.load(open(os.environ["CONFIGURATION_FILE"]))
def leave(path, text):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
leave("checkpoints/last.ckpt", "w" * 2048)
leave("runs/train/1/events", "events")
leave("log.txt", "a line\\n")
leave("__pycache__/job.pyc", "cache")
leave("config.yaml", "lr: 2")
if "output_directory" in c: leave(c["output_directory"] + "/result", "the result")
sys.exit(int(os.environ.get("STATUS", "0")))
"""
GONE = "** Gone with the job's working directory: "


@pytest.fixture
def job(plz):
    plz.write("job.py", JOB)
    plz.write("config.yaml", "lr: 1")
    plz.write("checkpoints/README", "captured")
    plz.configure(command=["python3", "job.py"])
    return plz


def fetched(plz, done):
    root = plz.project / "output" / done.id
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


def warning(done):
    lines = [line for line in done.err.splitlines() if line.startswith(GONE)]
    assert len(lines) <= 1, str(done)
    return lines[0] if lines else ""


@pytest.fixture(params=["sandbox", "process"])
def how(request, plz):
    """Over an overlay, and over a copy."""
    plz.env["PLZ_RUNTIME"] = request.param


def test_what_is_gone_is_told(job, how):
    done = job.ok("run")
    assert fetched(job, done) == {"result": "the result"}
    told = warning(done)
    assert told.startswith(GONE + "checkpoints/last.ckpt (2.0 KiB), log.txt (7 bytes), runs/train/1/events (6 bytes), "
                           "config.yaml (5 bytes)"), str(done)
    assert "pycache" not in told and "README" not in told and "job.py" not in told and "more" not in told, told
    assert '"outputs": ["."]' in told and "--outputs" in told
    assert "\nNote: Gone with the job's working directory: " in job.ok("status").out
    failed = job("run", env={"STATUS": "3"})
    assert failed.status == 3 and warning(failed) == told, str(failed)
    assert "!! Execution failed with an exit status of 3." in failed.err


def test_outputs_are_kept(job, how):
    done = job.ok("run", "--outputs", "checkpoints", "--outputs", "runs/**")
    assert fetched(job, done) == {"result": "the result", "checkpoints/last.ckpt": "w" * 2048, "runs/train/1/events": "events"}
    assert warning(done).startswith(GONE + "log.txt (7 bytes), config.yaml (5 bytes); "), str(done)
    job.configure(command=["python3", "job.py"], outputs=["."])
    everything = {"result": "the result", "checkpoints/last.ckpt": "w" * 2048, "runs/train/1/events": "events",
                  "log.txt": "a line\n", "config.yaml": "lr: 2"}
    for status in ("0", "3"):
        done = job("run", env={"STATUS": status})
        assert str(done.status) == status and fetched(job, done) == everything and not warning(done), str(done)
    assert job.json("describe", done.id)["outputs"] == ["."]
    # As it was asked for then; or otherwise now.
    again = job("rerun", done.id)
    assert fetched(job, again) == everything
    again = job("rerun", "--outputs=log.txt", done.id)
    assert set(fetched(job, again)) == {"result", "log.txt"}, str(again)


def test_nothing_is_said_of_nothing(plz, how):
    plz.write("lib.py", "x = 1\n")
    plz.write("deep/er/file", "x")
    done = plz.ok("run", "--", "python3", "-c", "import lib; print(open('deep/er/file').read())")
    assert "**" not in done.err, str(done)


def test_the_outputs_own_files_stay(plz):
    plz.write("job.py", """
import json, os
o = json.load(open(os.environ["CONFIGURATION_FILE"]))["output_directory"]
for d, text in ((o, "of the output"), (".", "of the working directory")):
    os.mkdir(d + "/runs")
    open(d + "/runs/a", "w").write(text)
open("runs/b", "w").write("only here")
# Links are files of the job's, and lead nobody out.
os.symlink("/etc/passwd", "link")
os.symlink("/etc", o + "/etc")
os.mkdir("etc")
open("etc/x", "w").write("x")
""")
    done = plz.ok("run", "--outputs", ".", "--", "python3", "job.py")
    root = plz.project / "output" / done.id
    assert (root / "runs/a").read_text() == "of the output" and (root / "runs/b").read_text() == "only here"
    assert os.readlink(root / "link") == "/etc/passwd" and os.readlink(root / "etc") == "/etc"
    assert "** The output has files of its own in place of these of the working directory: etc/x, runs/a" in done.err, str(done)


def test_of_a_stopped_job_and_a_killed_worker(job, tmp_path):
    job.write("job.py", JOB.replace("sys.exit", f"open('{tmp_path}/written', 'w')\nimport time; time.sleep(600)\nsys.exit"))
    command = ["python3", "job.py"]
    job.configure(command=command, outputs=["checkpoints"])
    # Written where the sandbox does not lead.
    execution = job.ok("run", "-d", "--runtime", "process").out.strip()
    wait_until((tmp_path / "written").exists)
    job.kill("plz-worker")
    job.ok("stop", execution)
    job.wait_for_state(execution, "finished")
    job.ok("output", execution)
    root = job.project / "output" / execution
    assert sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()) == ["checkpoints/last.ckpt", "result"]
    outcome = job.json("describe", execution)["outcome"]
    assert outcome["kind"] == "stopped" and "log.txt (7 bytes)" in outcome["reason"], outcome
    assert "checkpoints" not in outcome["reason"] and "job.py" not in outcome["reason"], outcome


def test_a_killed_worker_in_the_sandbox(job):
    job.write("job.py", JOB.replace("sys.exit", "print('written', flush=True)\nimport time; time.sleep(600)\nsys.exit"))
    job.configure(command=["python3", "job.py"], outputs=["checkpoints"])
    execution = job.ok("run", "-d").out.strip()
    wait_until(lambda: any(b"written" in path.read_bytes() for path in (job.data / "worker/attempts").glob("*/log")))
    job.kill("plz-worker")
    job.ok("stop", execution)
    job.wait_for_state(execution, "finished")
    outcome = job.json("describe", execution)["outcome"]
    assert outcome["kind"] == "stopped" and "log.txt (7 bytes)" in outcome["reason"], outcome
    assert "checkpoints" not in outcome["reason"] and "job.py" not in outcome["reason"], outcome
    job.ok("output", execution)
    assert (job.project / "output" / execution / "checkpoints/last.ckpt").stat().st_size == 2048


def test_each_part_has_a_working_directory(job):
    job.configure(command=["python3", "job.py"], outputs=["log.txt"], parallel_indices_range=[4, 7], indices_per_execution=2)
    execution = job.ok("run").out.strip()
    job.wait_for_state(execution, "finished")
    job.ok("output", execution)
    root = job.project / "output" / execution
    # Of a part's, at the first of its indices.
    assert sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()) == ["parallel-4/log.txt", "parallel-6/log.txt"]


def test_outputs_outside_of_the_working_directory_are_refused(job):
    for word in ("../x", "/etc", ""):
        for command in (["run", "--outputs", word], ["rerun", "--outputs", word]):
            done = job(*command)
            assert done.status == 125 and "Execution ID" not in done.err, str(done)
            if word:
                assert "lies outside of the job's working directory" in done.err, str(done)
    job.configure(command=["true"], outputs=["a", "../../b"])
    done = job("run")
    assert done.status == 125 and "outputs[1]" in done.err and "plz.config.json" in done.err, str(done)


def test_output_stays_short_for_the_output_directory(job):
    done = job.ok("run", "--output", str(job.root / "here"))
    assert json.loads(json.dumps((job.root / "here/result").read_text())) == "the result", str(done)


def test_permissions_that_a_job_took_from_itself_lose_nothing(plz, how):
    plz.write("captured", "x")
    done = plz.ok("run", "--outputs", "made", "--", "sh", "-c",
                  "echo result > $(dirname $(grep -o '/[^\"]*output\"' $CONFIGURATION_FILE | tr -d '\"'))/output/result; "
                  "mkdir closed; echo 1 > closed/f; echo 2 > made; "
                  "chmod 0 closed $PWD $(grep -o '/[^\"]*output\"' $CONFIGURATION_FILE | tr -d '\"')")
    assert (plz.project / "output" / done.id / "result").read_text() == "result\n", str(done)
    assert (plz.project / "output" / done.id / "made").read_text() == "2\n", str(done)
    assert "closed/f (2 bytes)" in warning(done), str(done)


def test_a_copy_with_the_times_of_its_source_is_kept(plz, how):
    """Of the same size, too: a checkpoint that is copied upon another."""
    for name in ("best", "last"):
        plz.write(f"{name}.pt", name)
    done = plz.ok("run", "--outputs", "*.pt", "--", "python3", "-c", "import shutil; shutil.copy2('best.pt', 'last.pt')")
    assert [path.name for path in (plz.project / "output" / done.id).iterdir()] == ["last.pt"], str(done)
    assert (plz.project / "output" / done.id / "last.pt").read_text() == "best"


def test_links_to_what_was_kept_lead_to_it(plz):
    done = plz.ok("run", "--outputs", "ck", "--", "sh", "-c",
                  "mkdir ck; echo 1 > ck/e1; ln -s $PWD/ck/e1 ck/last; ln -s $PWD/absent ck/lost")
    output = plz.project / "output" / done.id
    assert os.readlink(output / "ck" / "last") == "e1" and (output / "ck" / "last").read_text() == "1\n"
    assert "in the output, 1 link leads out of what is captured" in done.err and "ck/lost -> /src/absent" in done.err, str(done)
